import { startsWith } from '../bytes/byte-readers.ts';
import type { ByteReader } from '../types.ts';

/** ELF, Mach-O of both widths and byte orders and for several processors (Java classes begin like that too), WebAssembly. */
const PROGRAM_HEADS: readonly (readonly number[])[] = [
  [0x7f, 0x45, 0x4c, 0x46],
  [0xfe, 0xed, 0xfa, 0xce],
  [0xfe, 0xed, 0xfa, 0xcf],
  [0xce, 0xfa, 0xed, 0xfe],
  [0xcf, 0xfa, 0xed, 0xfe],
  [0xca, 0xfe, 0xba, 0xbe],
  [0x00, 0x61, 0x73, 0x6d],
];
/** `#!/` and `#! /` begin a script. */
const SCRIPT_HEAD = /^#! ?\//;
/** `MZ`, and a header whose place is told there: `PE`, or `NE` or `LE` before Windows 95. */
const DOS_HEAD = [0x4d, 0x5a];
const NEW_HEADER_AT = 0x3c;
const NEW_HEADERS: ReadonlySet<string> = new Set(['PE', 'NE', 'LE']);

/** Whether a file is a program, a library of machine code or a script, whatever it is called. */
export async function isProgram(reader: ByteReader, head: Uint8Array): Promise<boolean> {
  return isScript(head) || (await isMachineCode(reader, head));
}

/** Whether a file's first bytes are those of a program or library that a processor runs. */
export async function isMachineCode(reader: ByteReader, head: Uint8Array): Promise<boolean> {
  if (PROGRAM_HEADS.some((magic) => startsWith(head, magic))) return true;
  return startsWith(head, DOS_HEAD) && (await hasNewHeader(reader));
}

/** Whether a file's first line names the program that runs it. */
export function isScript(head: Uint8Array): boolean {
  return SCRIPT_HEAD.test(String.fromCharCode(...head.subarray(0, 4)));
}

/** Raw numbers can begin with the two letters. */
async function hasNewHeader(reader: ByteReader): Promise<boolean> {
  if (reader.size < NEW_HEADER_AT + 4) return false;
  const place = await reader.read(NEW_HEADER_AT, 4);
  const at = new DataView(place.buffer, place.byteOffset).getUint32(0, true);
  if (at + 2 > reader.size) return false;
  return NEW_HEADERS.has(String.fromCharCode(...(await reader.read(at, 2))));
}
