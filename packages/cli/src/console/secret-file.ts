import { stat } from 'node:fs/promises';
import { ModelRtcError } from '@model-rtc/protocol';

/** A kind of secret that people keep in a file and name by `@FILE`. */
export interface SecretKind {
  /** `session` */
  readonly what: string;
  readonly maxBytes: number;
  /** The command that writes such a file. */
  readonly madeBy: string;
  /** What to pass in place of a file, as the end of a sentence. */
  readonly instead: string;
}

/** @throws ModelRtcError `bad_argument` for what cannot be read, is no file, or is too long; no message repeats the content */
export async function readSecretFile(path: string, { what, maxBytes, madeBy, instead }: SecretKind): Promise<string> {
  const bytes = await firstBytes(path, maxBytes + 1).catch((error: unknown) => {
    throw ModelRtcError.because(
      error,
      'bad_argument',
      `Cannot read the ${what} file "${path}". Pass @FILE with the file that \`${madeBy}\` wrote.`,
    );
  });
  if (bytes === undefined)
    throw new ModelRtcError('bad_argument', `"${path}" is not a file. Pass @FILE with a file, or ${instead}.`);
  if (bytes.length > maxBytes) {
    const article = /^[aeiou]/.test(what) ? 'an' : 'a';
    throw new ModelRtcError('bad_argument', `"${path}" is too long to be ${article} ${what} file.`);
  }
  return decoded(bytes);
}

/** Such a secret is ASCII, but some editors and shells save text as UTF-16 with a byte order mark. */
function decoded(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (first === 0xfe && second === 0xff) {
    const even = bytes.subarray(2, bytes.length - (bytes.length % 2));
    return Buffer.from(even).swap16().toString('utf16le');
  }
  return bytes.toString('utf8');
}

/** No more than shows that the file is too long; undefined for what is no file: a pipe or a device may make the command wait for ever. */
async function firstBytes(path: string, most: number): Promise<Buffer | undefined> {
  if (!(await stat(path)).isFile()) return undefined;
  const { openToRead } = await import('@model-rtc/files');
  const file = await openToRead(path, true);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(most), 0, most, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
