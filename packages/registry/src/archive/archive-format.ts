import {
  MAX_VALUES,
  type Manifest,
  type ModelEntry,
  ModelRtcError,
  manifestDigest,
  modelEntrySchema,
  modelPathProblem,
  OWN_FOLDER,
  parseManifest,
} from '@model-rtc/protocol';
import * as z from 'zod';

/**
 * An archive is a tar file (POSIX ustar and pax) of plain files only, all in one folder named for the model, in this order:
 * `NAME/.model-rtc/manifest.json`, `NAME/.model-rtc/entry.json`, then the model's files in the order of the manifest.
 * `tar x` makes the model's folder from it. The first members say what the rest must be.
 */
const MANIFEST_PATH = `${OWN_FOLDER}/manifest.json`;
const ENTRY_PATH = `${OWN_FOLDER}/entry.json`;

/** Twice the largest manifest that fits into a message, since JSON takes more room and paths may be long. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
export const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

const BLOCK_BYTES = 512;
const END_BYTES = 2 * BLOCK_BYTES;

/** The names of the notes of a model whose folder in the archive is `root`. */
export const notePaths = (root: string) => ({ manifest: `${root}/${MANIFEST_PATH}`, entry: `${root}/${ENTRY_PATH}` });

/** The folder in the archive, from the path of its first member; undefined when no archive begins with that path. */
export function archiveRoot(firstPath: string): string | undefined {
  if (!firstPath.endsWith(`/${MANIFEST_PATH}`)) return undefined;
  const root = firstPath.slice(0, -MANIFEST_PATH.length - 1);
  return root.includes('/') || modelPathProblem(root) !== undefined ? undefined : root;
}

/** Whether a file's first block is the header of an archive's first member; the header may still be damaged. */
export function isFirstBlock(block: Uint8Array): boolean {
  if (block.length < BLOCK_BYTES) return false;
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  if (bytes.toString('latin1', 257, 262) !== 'ustar') return false;
  const end = bytes.indexOf(0);
  return end > 0 && end <= 100 && archiveRoot(bytes.toString('utf8', 0, end)) !== undefined;
}

/** The approximate size of an archive. It leaves out pax headers, which only long paths need. */
export function archiveBytes(memberSizes: readonly number[]): number {
  const member = (size: number): number => BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  return memberSizes.reduce((sum, size) => sum + member(size), END_BYTES);
}

const ARCHIVE_VERSION = 1;
const entryFileSchema = z.object({ version: z.literal(ARCHIVE_VERSION), entry: modelEntrySchema });
const newerSchema = z.looseObject({ version: z.number().int().gt(ARCHIVE_VERSION) });

/** @throws ModelRtcError `invalid_model` when it is too long for an archive */
export function encodeManifest(manifest: Manifest): Buffer {
  const bytes = Buffer.from(JSON.stringify(manifest));
  if (bytes.length <= MAX_MANIFEST_BYTES) return bytes;
  const sentence = `The model has too many files for an archive (its manifest takes ${bytes.length} bytes, ${MAX_MANIFEST_BYTES} fit). Copy its folder instead.`;
  throw new ModelRtcError('invalid_model', sentence);
}

export function encodeEntry(entry: ModelEntry): Buffer {
  return Buffer.from(`${JSON.stringify({ version: ARCHIVE_VERSION, entry }, undefined, 2)}\n`);
}

/** @throws ModelRtcError `invalid_model` */
export function decodeManifest(bytes: Uint8Array): Manifest {
  requireFewValues(bytes);
  return parseManifest(parseJson(bytes, 'manifest'));
}

/**
 * @throws ModelRtcError `invalid_model`, `refused` when a newer version wrote it, `verification_failed` when it belongs to
 *   another model than the manifest
 */
export function decodeEntry(bytes: Uint8Array, manifest: Manifest): ModelEntry {
  requireFewValues(bytes);
  const raw = parseJson(bytes, 'entry');
  if (newerSchema.safeParse(raw).success) {
    const sentence = 'The archive was written by a newer model-rtc. Upgrade this one; nothing was stored.';
    throw new ModelRtcError('refused', sentence);
  }
  const parsed = entryFileSchema.safeParse(raw);
  if (!parsed.success) throw invalidArchive('its entry is not valid', parsed.error);
  const { entry } = parsed.data;
  if (entry.digest === manifestDigest(manifest)) return entry;
  const sentence =
    'The archive was changed: its entry and its manifest belong to different models. Export the model again.';
  throw new ModelRtcError('verification_failed', sentence);
}

/** A short text can contain far more values than memory can hold, so they are counted before they are parsed. */
function requireFewValues(bytes: Uint8Array): void {
  let marks = 0;
  for (const byte of bytes) if (byte === COMMA || byte === BRACE || byte === BRACKET) marks++;
  if (marks > MAX_VALUES) throw invalidArchive('its notes have too many values');
}

const COMMA = 0x2c;
const BRACE = 0x7b;
const BRACKET = 0x5b;

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (thrown) {
    throw invalidArchive(`its ${what} is not JSON`, thrown);
  }
}

/** @param problem what is wrong, as the end of a sentence */
export function invalidArchive(problem: string, cause?: unknown): ModelRtcError {
  const sentence = `This is not an archive from export-model (${problem}); nothing was stored. If you trust it, unpack it with tar and import the folder.`;
  return new ModelRtcError('invalid_model', sentence, { cause });
}
