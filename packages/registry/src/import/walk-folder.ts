import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, errorCode, mapLimit } from '@model-rtc/files';
import { isLogFolder, skipReason } from '@model-rtc/formats';
import {
  MAX_FILES,
  type ModelPath,
  ModelRtcError,
  modelPathProblem,
  OWN_FOLDER,
  pathsProblem,
} from '@model-rtc/protocol';
import { metadataReason } from '../store/metadata-file.ts';
import type { FileChoice } from './file-choice.ts';
import { isHubRepositoryAt, isOtherRepository } from './hub-cache.ts';
import { type FoundPath, LeftOutFolders } from './left-out-folder.ts';
import { type FollowedLink, judgeLink, type LinkRules, linksOutError } from './link-rules.ts';
import { kindOf, sortByPath, toFile } from './scanned-file.ts';
import type { ScannedFile, SkippedPath } from './scanned-model.ts';

/** Node runs 4 file operations at once; a few more keep them busy. */
const STATS_AT_ONCE = 16;
/** Folders and skipped files count too: links that fan out could otherwise multiply empty folders without end. */
const MAX_ENTRIES = 4 * MAX_FILES;
/** Names that a message lists. */
const MAX_LISTED = 4;
const MAX_FILES_IN_DETAILS = 100;

export interface WalkRules {
  readonly choice: FileChoice;
  readonly links: LinkRules;
}

export interface FoundFiles {
  /** Sorted by the bytes of their paths. */
  readonly files: readonly ScannedFile[];
  readonly skipped: readonly SkippedPath[];
  /** Links that were followed out of the folder, or to folders. */
  readonly followed: readonly FollowedLink[];
  /** Repositories of a hub's cache: folders that were not walked, since their files are there several times over. */
  readonly repositories: readonly string[];
  /** Why no model can have these files, and the paths of those that are not among `files` for that. */
  readonly problem?: { readonly paths: readonly string[]; readonly error: ModelRtcError } | undefined;
}

interface Walk extends WalkRules {
  readonly root: string;
  readonly leftOut: LeftOutFolders;
  readonly files: ScannedFile[];
  readonly skipped: SkippedPath[];
  readonly followed: FollowedLink[];
  readonly outside: FollowedLink[];
  readonly repositories: string[];
  /** Links without a file behind them, and names that other machines cannot have. */
  readonly unusable: { readonly path: string; readonly error: ModelRtcError }[];
  readonly unnameable: { readonly path: string; readonly problem: string }[];
  entries: number;
}

interface Folder {
  /** Relative and in NFC; empty for the root. */
  readonly path: string;
  readonly absolutePath: string;
  /** The folders that it is in, by device and inode: meeting one of them again is a cycle of links. */
  readonly ancestors: ReadonlySet<string>;
  /** Whether it is in a folder of logs, which is looked into for runs alone. */
  readonly isLog: boolean;
}

/**
 * The files under a folder that may be part of a model.
 * @returns with a `problem` `refused` for links that the rules do not allow, `invalid_model` for a broken or circular link and for
 * a name that other machines cannot have
 * @throws ModelRtcError `storage` when something cannot be read, `invalid_model` for too many files
 */
export async function walkFolder(root: string, rules: WalkRules): Promise<FoundFiles> {
  const { choice } = rules;
  const wants = (path: string) => !isOwn(path) && choice.includes(path);
  const leftOut = new LeftOutFolders(choice.hasIncludes ? wants : undefined, MAX_ENTRIES);
  const lists = { files: [], skipped: [], followed: [], outside: [], repositories: [], unusable: [], unnameable: [] };
  const walk: Walk = { ...rules, ...lists, root, leftOut, entries: 0 };
  const rootStats = await atStorage(root, 'read', () => stat(root, { bigint: true }));
  const ancestors = new Set([identityOf(rootStats)]);
  const folders: Folder[] = [{ path: '', absolutePath: root, ancestors, isLog: false }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    folders.push(...(await walkOne(folder, walk)));
  }
  const files = sortByPath(walk.files);
  return {
    files,
    problem: problemOf(walk, files),
    skipped: sorted(walk.skipped),
    followed: sorted(walk.followed),
    repositories: walk.repositories.sort(),
  };
}

/** In the order of the paths, so that messages do not depend on which file was looked at first. */
function problemOf(walk: Walk, files: readonly ScannedFile[]): FoundFiles['problem'] {
  const { root, outside, unusable, unnameable, links } = walk;
  const paths = [...outside, ...unusable, ...unnameable].map(({ path }) => path);
  const [broken] = sorted(unusable);
  if (broken !== undefined) return { paths, error: broken.error };
  if (outside.length > 0) return { paths, error: linksOutError(root, sorted(outside), links) };
  if (unnameable.length > 0) return { paths, error: badNames(root, sorted(unnameable)) };
  const problem = pathsProblem(files.map((file) => file.path));
  if (problem === undefined) return undefined;
  const sentence = `${problem}; rename it in ${root} or leave one out with --exclude, and import again.`;
  return { paths, error: invalid(sentence) };
}

function badNames(root: string, names: readonly { readonly path: string; readonly problem: string }[]): ModelRtcError {
  const listed = names.slice(0, MAX_LISTED).map(({ path, problem }) => `${join(root, path)} (${problem})`);
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  const sentence = `A model cannot have a file of this name on every machine: ${listed.join(', ')}${more}. Rename it, or leave it out with --exclude.`;
  return new ModelRtcError('invalid_model', sentence, {
    details: { path: root, files: names.slice(0, MAX_FILES_IN_DETAILS) },
  });
}

/** Adds a folder's files to the walk; gives its folders. */
async function walkOne(folder: Folder, walk: Walk): Promise<Folder[]> {
  const entries = await atStorage(folder.absolutePath, 'read', () =>
    readdir(folder.absolutePath, { withFileTypes: true }),
  );
  walk.entries += entries.length;
  if (walk.entries > MAX_ENTRIES) {
    throw invalid(`${folder.absolutePath} and the folders around it hold more than ${MAX_ENTRIES} files; import less.`);
  }
  if (entries.length === 0 && folder.path !== '') {
    walk.skipped.push({ path: folder.path, reason: 'an empty folder, which a model cannot have' });
  }
  const found = await mapLimit(entries, STATS_AT_ONCE, (entry) => visit(folder, entry, walk));
  if (walk.files.length > MAX_FILES) {
    throw invalid(`A model has at most ${MAX_FILES} files; import a smaller folder than ${folder.absolutePath}.`);
  }
  return found.filter((child) => child !== undefined);
}

/** Keeps or skips one entry of a folder; gives the folder that it is. */
async function visit(folder: Folder, entry: Dirent, walk: Walk): Promise<Folder | undefined> {
  const name = entry.name.normalize('NFC');
  const path = folder.path === '' ? name : `${folder.path}/${name}`;
  const found = { path, absolutePath: join(folder.absolutePath, entry.name) };
  const reason = reasonFor(name, found, entry, walk) ?? (await metadataReason(found));
  if (reason !== undefined) return await leaveOut(found, entry, reason, walk);
  if (entry.isDirectory() && (await isHubRepositoryAt(found.absolutePath))) {
    walk.repositories.push(path);
    return undefined;
  }
  const isLog = folder.isLog || isLogFolder(name);
  const stats = await statFound({ ...found, isLog }, walk);
  if (stats === undefined) return undefined;
  if (entry.isSymbolicLink() && !(await mayFollow({ ...found, isLog }, stats, walk))) return undefined;
  if (stats.isFile()) return takeFile(found, stats, walk);
  if (!stats.isDirectory()) {
    walk.skipped.push({ path, reason: `a ${kindOf(stats)}` });
    return undefined;
  }
  const identity = identityOf(stats);
  if (!folder.ancestors.has(identity)) {
    return { ...found, ancestors: new Set([...folder.ancestors, identity]), isLog };
  }
  const sentence = `The link ${found.absolutePath} leads back to a folder that it is in; remove it and import again.`;
  note({ ...found, isLog }, 'a circular link', walk.unusable, { path, error: invalid(sentence) }, walk);
  return undefined;
}

/** Loggers link to their latest run, and elsewhere: nothing of the model is behind such a link, so that it is only left out. */
function note<T>({ path, isLog }: LinkPath, reason: string, problems: T[], problem: T, walk: Walk): void {
  if (isLog) walk.skipped.push({ path, reason });
  else problems.push(problem);
}

interface LinkPath extends FoundPath {
  readonly isLog: boolean;
}

/** Why an entry is left out by its name, and by what a person said; undefined when it may belong to the model. */
function reasonFor(name: string, { path }: FoundPath, entry: Dirent, { choice }: Walk): string | undefined {
  if (choice.excludes(path)) return 'left out by --exclude';
  if (!isOwn(path) && choice.includes(path)) return undefined;
  if (entry.isDirectory() && isOtherRepository(name)) return 'no model, by its name in a cache of a hub';
  return reasonByName(name, entry);
}

/** Whether it is in the registry's own folder, which no model has. */
function isOwn(path: string): boolean {
  return path.split('/', 1)[0]?.toLowerCase() === OWN_FOLDER;
}

/** A link is judged by its name alone, as what it may point to: where it leads does not matter when it is left out. */
function reasonByName(name: string, entry: Dirent): string | undefined {
  if (entry.isDirectory()) return skipReason(name, 'folder');
  return skipReason(name, 'file') ?? (entry.isSymbolicLink() ? skipReason(name, 'folder') : undefined);
}

/** Notes it, and takes what is wanted in it all the same. */
async function leaveOut(found: FoundPath, entry: Dirent, reason: string, walk: Walk): Promise<undefined> {
  const { path, absolutePath } = found;
  if (!entry.isDirectory()) {
    const stats = await lstat(absolutePath).catch(() => undefined);
    walk.skipped.push({ path, reason, bytes: stats?.isFile() ? stats.size : 0 });
    return;
  }
  const { wanted, bytes, files } = await walk.leftOut.lookThrough(found);
  if (files !== 0 || wanted.length === 0) walk.skipped.push({ path, reason, bytes, files });
  for (const file of wanted) await takeWanted(file, walk);
}

/** A file in a folder that is left out. */
async function takeWanted(found: FoundPath, walk: Walk): Promise<void> {
  const wanted = { ...found, isLog: false };
  const stats = await statFound(wanted, walk);
  if (stats === undefined) return;
  const isLink = (await atStorage(found.absolutePath, 'read', () => lstat(found.absolutePath))).isSymbolicLink();
  if (isLink && !(await mayFollow(wanted, stats, walk))) return;
  if (stats.isFile()) takeFile(found, stats, walk);
  else
    walk.skipped.push({ path: found.path, reason: stats.isDirectory() ? 'a link to a folder' : `a ${kindOf(stats)}` });
}

/** Whether a link is taken for what it leads to. What is not is noted. */
async function mayFollow(found: LinkPath, stats: BigIntStats, walk: Walk): Promise<boolean> {
  const { path } = found;
  const { target, isOutside } = await judgeLink(found.absolutePath, walk.links);
  if (walk.links.follow) {
    if (isOutside || stats.isDirectory()) walk.followed.push({ path, target });
    return true;
  }
  if (isOutside) note(found, 'a link that leads elsewhere', walk.outside, { path, target }, walk);
  else if (stats.isDirectory()) walk.skipped.push({ path, reason: 'a link to a folder' });
  return !isOutside && !stats.isDirectory();
}

function takeFile({ path, absolutePath }: FoundPath, stats: BigIntStats, walk: Walk): undefined {
  const problem = modelPathProblem(path);
  if (problem !== undefined) walk.unnameable.push({ path, problem });
  else walk.files.push(toFile(path as ModelPath, absolutePath, stats));
}

/** Undefined for an entry that has no file behind it, which is noted. @throws ModelRtcError `storage` */
async function statFound(found: LinkPath, walk: Walk): Promise<BigIntStats | undefined> {
  const { path, absolutePath } = found;
  try {
    return await stat(absolutePath, { bigint: true });
  } catch (cause) {
    const code = errorCode(cause);
    if (code !== 'ELOOP' && code !== 'ENOENT' && code !== 'ENOTDIR') {
      return await atStorage(absolutePath, 'read', () => Promise.reject(cause));
    }
    const sentence = `The link ${absolutePath} leads back to itself; remove it and import again.`;
    const error = code === 'ELOOP' ? invalid(sentence, cause) : await missingEntry(absolutePath, cause);
    note(found, 'a broken link', walk.unusable, { path, error }, walk);
    return undefined;
  }
}

/** Why an entry of a folder has no file behind it. */
async function missingEntry(path: string, cause: unknown): Promise<ModelRtcError> {
  const link = await lstat(path).catch(() => undefined);
  if (link?.isSymbolicLink()) {
    return invalid(`The link ${path} is broken: what it points to is not there. Restore it or remove the link.`, cause);
  }
  if (path.includes('\ufffd')) return invalid(`The name of ${path} is not valid UTF-8; rename it.`, cause);
  return new ModelRtcError('source_changed', `${path} went away while the folder was read; import again.`, { cause });
}

function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

function sorted<T extends { readonly path: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function invalid(sentence: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError('invalid_model', sentence, { cause });
}
