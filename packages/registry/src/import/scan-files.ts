import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing, mapLimit, storageError } from '@model-rtc/files';
import {
  type FileSet,
  fileSetOf,
  noModelAt,
  recogniseFile,
  recogniseFolder,
  toChecked,
} from '@model-rtc/formats/layouts';
import { ModelRtcError } from '@model-rtc/protocol';
import { inflate } from '../inspect/inflate.ts';
import { type FollowedLink, judgeLink, type LinkRules, linkRulesFor, linksOutError } from './link-rules.ts';
import { toModelFile } from './model-files-on-disk.ts';
import { packageAround } from './run-around.ts';
import { folderOnDisk, scanFolder } from './scan-folder.ts';
import { sortByPath, toScannedFile } from './scanned-file.ts';
import type { Scanned, ScannedFile, ScanOptions } from './scanned-model.ts';

const STATS_AT_ONCE = 16;

/** The model that a file stands for: the file itself, the set of files that it belongs to, or its folder. */
export async function scanFile(absolutePath: string, stats: BigIntStats, options: ScanOptions): Promise<Scanned> {
  if (!stats.isFile()) throw noModelAt(absolutePath);
  const folder = dirname(absolutePath);
  const around = await packageAround(folder);
  if (around !== undefined) return { movedTo: around, ...(await scanFolder(around, options)) };
  const set = await fileSetOf(basename(absolutePath), await readFolder(folder), async (name) =>
    toChecked(toModelFile(await scannedFile(folder, name))),
  );
  if (set?.kind === 'folder') return { movedTo: folder, ...(await scanFolder(folder, options)) };
  requireNoPatterns(absolutePath, options);
  if (set !== undefined) return await scanSet(folder, set, options);
  const file = toScannedFile(basename(absolutePath).normalize('NFC'), absolutePath, stats);
  return { files: [file], facts: await recogniseFile(toModelFile(file), { inflate }), skipped: [], followed: [] };
}

function requireNoPatterns(path: string, { include = [], exclude = [] }: ScanOptions): void {
  if (include.length === 0 && exclude.length === 0) return;
  const sentence = `${path} is a file, and --include and --exclude choose among the files of a folder. Import the folder that it is in, or leave them out.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { path } });
}

/** Some files of a folder that are one model. What is not there is found to be missing later. */
async function scanSet(
  root: string,
  set: Extract<FileSet, { kind: 'files' }>,
  { followLinks = false, linksWithin }: ScanOptions,
): Promise<Scanned> {
  const there = await mapLimit(set.paths, STATS_AT_ONCE, (path) => scannedFile(root, path).catch(ifMissing));
  const files = sortByPath(there.filter((file) => file !== undefined));
  const rules = await linkRulesFor(root, { follow: followLinks, within: linksWithin });
  const followed = await linksOut(files, rules);
  if (followed.length > 0 && !followLinks) throw linksOutError(root, followed, rules);
  const folder = folderOnDisk(root, files);
  const { facts } = await recogniseFolder(folder, { typeIsKnown: true });
  return { files, facts: { ...facts, checkpointPath: set.checkpoint }, skipped: [], followed, setName: set.name };
}

/** The files that are links to where the rules do not allow it. */
async function linksOut(files: readonly ScannedFile[], rules: LinkRules): Promise<FollowedLink[]> {
  const links = await mapLimit(files, STATS_AT_ONCE, async ({ path, absolutePath }) => {
    const { target, isOutside } = await judgeLink(absolutePath, rules);
    return isOutside ? { path, target } : undefined;
  });
  return links.filter((link) => link !== undefined);
}

function ifMissing(thrown: unknown): undefined {
  if (ModelRtcError.from(thrown).code !== 'not_found_locally') throw thrown;
  return undefined;
}

async function scannedFile(root: string, path: string): Promise<ScannedFile> {
  const absolutePath = join(root, path);
  return toScannedFile(path.normalize('NFC'), absolutePath, await statRoot(absolutePath));
}

/** The names of the files in a folder; none when only the file itself may be read. */
async function readFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

/** What is at a path, behind links too. @throws ModelRtcError `not_found_locally`, `storage` */
export async function statRoot(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    if (!isMissing(cause)) throw storageError(cause, path, 'read');
    throw nothingAt(path, cause);
  }
}

function nothingAt(path: string, cause: unknown): ModelRtcError {
  return new ModelRtcError('not_found_locally', `There is nothing at ${path}; check the path.`, { cause });
}
