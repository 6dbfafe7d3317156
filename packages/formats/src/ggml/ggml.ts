import { readHead } from '../bytes/byte-readers.ts';
import type { ByteReader } from '../types.ts';

/** The first bytes of the containers before GGUF, as they are in the file. Source: whisper.cpp, ggml.h (`GGML_FILE_MAGIC`) */
const MAGICS = new Set(['lmgg', 'fmgg', 'tjgg']);
const MAGIC_BYTES = 4;
/** Of a model of whisper: words, audio and text sizes, mel bands and the type of its tensors. */
const WHISPER_NUMBERS = 11;
const AUDIO_CONTEXT = 1;
const MEL_BANDS = 9;
/** The length of the sound that whisper takes at once; nobody has trained another. */
const WHISPER_AUDIO_CONTEXT = 1500;

/** What a file of the old ggml container holds: a speech model of whisper.cpp, or one of another tool. Undefined for other files. */
export async function ggmlKind(reader: ByteReader): Promise<'whisper' | 'other' | undefined> {
  const head = await readHead(reader, MAGIC_BYTES + 4 * WHISPER_NUMBERS);
  if (!MAGICS.has(String.fromCharCode(...head.subarray(0, MAGIC_BYTES)))) return undefined;
  if (head.length < MAGIC_BYTES + 4 * WHISPER_NUMBERS) return 'other';
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const number = (i: number) => view.getInt32(MAGIC_BYTES + 4 * i, true);
  return number(AUDIO_CONTEXT) === WHISPER_AUDIO_CONTEXT && [80, 128].includes(number(MEL_BANDS)) ? 'whisper' : 'other';
}
