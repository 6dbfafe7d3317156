import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { mapLimit } from '@model-rtc/files';
import type { Flaw } from '@model-rtc/formats/layouts';
import { type IncompleteFile, type Manifest, type ModelComponents, ModelRtcError } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { ModelReading } from './types.ts';

/** What an entry has room for, see `incompleteFileSchema`. */
const MAX_PROBLEM_CHARS = 1024;
/** Flaws that a message lists; the details have more. */
const MAX_LISTED = 4;
const LOOKS_AT_ONCE = 16;
/** A hub's cache names what it downloaded by its SHA-256, in this folder. */
const BLOB = /[/\\]blobs[/\\](?:sha256-)?([0-9a-f]{64})$/;

/**
 * What a model lacks by what its own files say; headers alone are read.
 * @throws ModelRtcError `source_changed` when a file is not as it was scanned, `storage`, `cancelled`, `invalid_model` when looking
 *   takes more memory than is allowed
 */
export async function findIncomplete(
  reading: ModelReading,
  files: readonly ScannedFile[],
  signal?: AbortSignal,
): Promise<readonly Flaw[]> {
  return await reading.run('findFlaws', files, { signal });
}

/**
 * Which parts of a model are there; undefined for a model whose parts have no usual names.
 * @param flaws what `findIncomplete` found
 * @throws ModelRtcError as `findIncomplete` does
 */
export async function findComponents(
  reading: ModelReading,
  files: readonly ScannedFile[],
  flaws: readonly Flaw[],
  signal?: AbortSignal,
): Promise<ModelComponents | undefined> {
  return await reading.run('findComponents', { files, flaws }, { signal });
}

/** The files of a hub's cache whose bytes are not those that they are named by. */
export async function findDamagedBlobs(files: readonly ScannedFile[], manifest: Manifest): Promise<readonly Flaw[]> {
  const digests = new Map<string, string>(manifest.files.map((file) => [file.path, file.sha256]));
  const flaws = await mapLimit(files, LOOKS_AT_ONCE, async ({ path, absolutePath }): Promise<Flaw | undefined> => {
    const named = BLOB.exec(await realpath(absolutePath).catch(() => absolutePath))?.[1];
    if (named === undefined || named === digests.get(path)) return undefined;
    const problem = `is damaged in the cache: its bytes are not those of ${named.slice(0, 12)}, by which it is named`;
    return { kind: 'damaged', path, problem };
  });
  return flaws.filter((flaw) => flaw !== undefined);
}

/** What an entry says of a model that is not whole; undefined for a whole one. */
export function toIncomplete(flaws: readonly Flaw[]): IncompleteFile[] | undefined {
  if (flaws.length === 0) return undefined;
  return flaws.map(({ path, problem }) => ({ path, problem: problem.slice(0, MAX_PROBLEM_CHARS) }));
}

/** The error that refuses a model that is not whole. */
export function incompleteError(location: string, flaws: readonly Flaw[]): ModelRtcError {
  const listed = flaws.slice(0, MAX_LISTED).map(({ path, problem }) => `${path} ${problem}`);
  const more = flaws.length > MAX_LISTED ? `; and ${flaws.length - MAX_LISTED} more` : '';
  const sentence = `The model at ${location} is not whole, so it is not imported: ${listed.join('; ')}${more}. Copy or download what is missing, or pass --allow-incomplete.`;
  return new ModelRtcError('invalid_model', sentence, { details: { path: basename(location), incomplete: flaws } });
}
