import { latin1Text } from '../bytes/latin1.ts';

const UTF8 = new TextDecoder();
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  '\n': '',
};

export function utf8Text(bytes: Uint8Array): string {
  return UTF8.decode(bytes);
}

/** The text of a STRING opcode: quoted, with Python's escapes, which can hide a name (`'\x6fs'` is `os`). */
export function quotedText(line: Uint8Array): string {
  const text = latin1Text(line).trim();
  const inner = /^(['"])(.*)\1$/s.exec(text)?.[2] ?? text;
  return inner.replace(/\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([\s\S]))/g, (_all, hex, octal, character) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    return ESCAPES[character as string] ?? (character as string);
  });
}

/** The text of a UNICODE opcode: latin-1 with `\u` escapes only. */
export function rawUnicodeText(line: Uint8Array): string {
  return latin1Text(line).replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (all, short, long) => {
    const code = Number.parseInt(short ?? long, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** A number as Python's `int()` reads it, with spaces around it and underscores in it; undefined when it is not a number. */
export function lineInteger(line: Uint8Array): number | bigint | undefined {
  const text = latin1Text(line).trim().replace(/L$/, '').replaceAll('_', '');
  if (!/^[+-]?\d{1,4000}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text.replace(/^\+/, ''));
}

export function lineFloat(line: Uint8Array): number {
  const text = latin1Text(line).trim().toLowerCase();
  if (/^[+-]?inf(inity)?$/.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return text === '' ? Number.NaN : Number(text);
}

/** A little-endian number in two's complement, as in LONG1. */
export function longInteger(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  if (bytes.length > 0 && (bytes.at(-1) as number) >= 0x80) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
