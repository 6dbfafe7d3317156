/** The end of an ASCII run, so that ordinary text costs one comparison a byte. */
function skipAscii(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] as number) < 0x80) at++;
  return at;
}

/** How many continuation bytes follow a lead byte, and the bounds of the first of them (RFC 3629, section 4). */
function sequenceOf(lead: number): { length: number; low: number; high: number } | undefined {
  if (lead >= 0xc2 && lead <= 0xdf) return { length: 1, low: 0x80, high: 0xbf };
  if (lead === 0xe0) return { length: 2, low: 0xa0, high: 0xbf };
  if (lead === 0xed) return { length: 2, low: 0x80, high: 0x9f };
  if (lead >= 0xe1 && lead <= 0xef) return { length: 2, low: 0x80, high: 0xbf };
  if (lead === 0xf0) return { length: 3, low: 0x90, high: 0xbf };
  if (lead >= 0xf1 && lead <= 0xf3) return { length: 3, low: 0x80, high: 0xbf };
  if (lead === 0xf4) return { length: 3, low: 0x80, high: 0x8f };
  return undefined;
}

/** Whether `bytes[start..end)` is UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  for (let at = skipAscii(bytes, start, end); at < end; at = skipAscii(bytes, at, end)) {
    const sequence = sequenceOf(bytes[at] as number);
    if (sequence === undefined || at + sequence.length >= end) return false;
    const first = bytes[at + 1] as number;
    if (first < sequence.low || first > sequence.high) return false;
    for (let i = 2; i <= sequence.length; i++) {
      if (((bytes[at + i] as number) & 0xc0) !== 0x80) return false;
    }
    at += sequence.length + 1;
  }
  return true;
}
