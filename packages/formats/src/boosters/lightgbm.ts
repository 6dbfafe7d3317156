import { readHead } from '../bytes/byte-readers.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';

/** What a LightGBM model says of itself. Source: LightGBM, src/boosting/gbdt_model_text.cpp */
export interface LightgbmModel {
  readonly objective: string | undefined;
  readonly classes: string | undefined;
  readonly version: string | undefined;
  readonly features: string | undefined;
  readonly trees: number;
}

const HEAD = /^tree\r?\nversion=v\d+\r?\n/;
const HEAD_BYTES = 64;
/** Names of features and the sizes of trees: 10,000 of each take some 200 kB. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const FIRST_HEADER_BYTES = 64 * 1024;
const TAIL_BYTES = 4 * 1024 * 1024;
const END = 'end of trees';

export async function isLightgbm(reader: ByteReader): Promise<boolean> {
  return HEAD.test(new TextDecoder('latin1').decode(await readHead(reader, HEAD_BYTES)));
}

/**
 * Reads the header, which says how long each tree is, and what follows the trees.
 * @throws EndsEarlyError for one that is cut off, StructureError for one that is broken
 */
export async function readLightgbm(reader: ByteReader): Promise<LightgbmModel> {
  const header = await readHeader(reader);
  const value = (name: string) => new RegExp(`^${name}=(.{1,2000})$`, 'm').exec(header)?.[1]?.trim();
  const sizes = (/^tree_sizes=([\d ]*)$/m.exec(header)?.[1] ?? '').split(' ').filter((size) => size !== '');
  const trees = sizes.reduce((sum, size) => sum + Number(size), header.length);
  await requireEnd(reader, sizes.length > 0 ? trees : header.length);
  return {
    objective: value('objective'),
    classes: value('num_class'),
    version: value('version'),
    features: String(Number(value('max_feature_idx') ?? -1) + 1),
    trees: sizes.length,
  };
}

/** Up to the empty line before the first tree, with one character for each byte. */
async function readHeader(reader: ByteReader): Promise<string> {
  for (let bytes = FIRST_HEADER_BYTES; ; bytes *= 8) {
    const text = new TextDecoder('latin1').decode(await readHead(reader, Math.min(bytes, MAX_HEADER_BYTES)));
    const end = /\r?\n\r?\n/.exec(text);
    if (end !== null) return text.slice(0, end.index + end[0].length);
    if (bytes >= reader.size) throw new EndsEarlyError('its header does not end');
    if (bytes >= MAX_HEADER_BYTES) throw new StructureError('its header is too long');
  }
}

/** The trees are followed by a line that says so, and settings by another one. */
async function requireEnd(reader: ByteReader, least: number): Promise<void> {
  const start = Math.max(0, Math.min(least, reader.size) - END.length, reader.size - TAIL_BYTES);
  const tail = new TextDecoder('latin1').decode(await reader.read(start, reader.size - start));
  const isWhole = tail.includes(`${END}\n`) || tail.includes(`${END}\r\n`);
  // What follows so many trees may be longer than what is looked at.
  if (!isWhole && start <= least) throw new EndsEarlyError('its trees go on behind its end');
  const hasSettings = /\nparameters:\r?\n/.test(tail);
  if (hasSettings && !tail.includes('\nend of parameters')) throw new EndsEarlyError('its settings do not end');
}
