import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { requireNames, requireRoom } from '@model-rtc/files';
import { namedLikeCode, refuseCode } from '@model-rtc/formats';
import {
  type Alias,
  allowedAlias,
  type Digest,
  type Manifest,
  type ModelEntry,
  ModelRtcError,
  manifestDigest,
  modelSize,
  parseAlias,
} from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { nearestFreeAlias, requireFreeAlias } from '../entry/aliases.ts';
import type { StoredEntry } from '../entry/types.ts';
import { isWhole } from '../files/registered-model.ts';
import { type EntryAdditions, joinAdditions, readAdditions, requireNotOwnParent } from '../import/additions.ts';
import { installModel } from '../import/install.ts';
import { placeModel } from '../import/place-model.ts';
import { withImportFolder } from '../import/staging.ts';
import type { ImportOptions, ImportResult } from '../import/types.ts';
import { inPhase } from '../progress.ts';
import {
  archiveRoot,
  decodeEntry,
  decodeManifest,
  invalidArchive,
  MAX_ENTRY_BYTES,
  MAX_MANIFEST_BYTES,
  notePaths,
} from './archive-format.ts';
import { type ArchiveMember, damagedArchive, readMembers, refuseCompressed } from './read-members.ts';
import { quote, unpackFiles } from './unpack-files.ts';

/** What an archive says of itself before its files. */
interface Announced {
  /** The folder of everything in it. */
  readonly root: string;
  readonly manifest: Manifest;
  readonly digest: Digest;
  readonly entry: ModelEntry;
}

interface ArchiveWork extends ImportOptions {
  readonly additions: EntryAdditions;
}

/** Registers the model of an archive once every byte is verified; otherwise leaves nothing behind. */
export async function importArchive(
  context: RegistryContext,
  path: string,
  options: ImportOptions = {},
): Promise<ImportResult> {
  if (options.alias !== undefined) parseAlias(options.alias);
  const additions = await readAdditions(context, options);
  const archive = resolve(path);
  await refuseCompressed(archive);
  const members = readMembers(archive, options.signal);
  try {
    const announced = await readAnnounced(members);
    requireNames(announced.manifest.files);
    requireNotOwnParent(announced.digest, additions);
    await requireLength(archive, announced.manifest);
    const work = { ...options, additions };
    const existing = await wholeModel(context, announced.digest, options);
    if (options.safeOnly) refuseCode(existing?.codeFiles ?? namedLikeCode(announced.manifest));
    if (existing !== undefined) return await keepWhole(context, announced, work);
    const alias = await chooseAlias(context, announced, options);
    return await unpackAndInstall(context, members, announced, { ...work, alias });
  } finally {
    await members.return(undefined);
  }
}

async function readAnnounced(members: AsyncIterator<ArchiveMember>): Promise<Announced> {
  const first = await members.next();
  if (first.done) throw invalidArchive('it is empty');
  const root = archiveRoot(first.value.path);
  if (root === undefined) throw invalidArchive(`it begins with ${quote(first.value.path)}`);
  const manifest = decodeManifest(await readNote(first.value, MAX_MANIFEST_BYTES));
  const second = await members.next();
  if (second.done || second.value.path !== notePaths(root).entry) throw invalidArchive('its entry is missing');
  const entry = decodeEntry(await readNote(second.value, MAX_ENTRY_BYTES), manifest);
  return { root, manifest, digest: manifestDigest(manifest), entry };
}

async function readNote({ path, type, size, bytes }: ArchiveMember, maxBytes: number): Promise<Uint8Array> {
  if (type !== 'file') throw invalidArchive(`${quote(path)} is a ${type} and not a plain file`);
  if (size > maxBytes) throw invalidArchive(`${quote(path)} has ${size} bytes, more than ${maxBytes}`);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > size) throw invalidArchive(`${quote(path)} is longer than its header says`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Finds a cut archive before hours of copying, and before checking for space that the copy would never use. */
async function requireLength(archive: string, manifest: Manifest): Promise<void> {
  const { size } = await stat(archive);
  const needed = modelSize(manifest);
  if (size < needed) throw damagedArchive(archive, `it has ${size} bytes, and its model alone has ${needed}`);
}

async function wholeModel(
  context: RegistryContext,
  digest: Digest,
  { ifExists }: ImportOptions,
): Promise<StoredEntry | undefined> {
  const stored = (await context.index.read()).byDigest.get(digest);
  if (stored === undefined || ifExists === 'overwrite') return undefined;
  return (await isWhole(context, stored)) ? stored : undefined;
}

/** Does not unpack a model that is here already. The model gets what the person says of it now, as with any import. */
async function keepWhole(context: RegistryContext, announced: Announced, work: ArchiveWork): Promise<ImportResult> {
  const { digest, manifest, entry } = announced;
  const { alias, aliasConflict, additions, ifExists, signal } = work;
  const { stored } = await placeModel(context, {
    // This folder does not exist, so if someone removes the model at this very moment, placing it fails.
    staged: join(context.paths.staging, `import-${randomBytes(8).toString('hex')}`),
    stats: [],
    draft: entry,
    linked: false,
    originalPath: undefined,
    offeredAlias: entry.alias,
    ...{ digest, manifest, alias, aliasConflict, additions, ifExists, signal },
  });
  const { alias: offered } = entry;
  const isNameless = stored.alias === undefined && offered !== undefined;
  return {
    entry: await context.show(stored),
    manifest: await context.readManifest(stored),
    outcome: 'already_there',
    suggestedAlias: isNameless ? nearestFreeAlias(await context.index.read(), offered) : undefined,
    skipped: [],
  };
}

/** A damaged model that the archive repairs keeps the alias it has here. */
async function chooseAlias(
  { index }: RegistryContext,
  { digest, entry }: Announced,
  { alias, aliasConflict }: ImportOptions,
): Promise<Alias | undefined> {
  const known = await index.read();
  const wanted = alias ?? (known.byDigest.get(digest)?.alias === undefined ? allowedAlias(entry.alias) : undefined);
  if (wanted !== undefined && aliasConflict === undefined) requireFreeAlias(known, wanted, digest);
  return wanted;
}

async function unpackAndInstall(
  context: RegistryContext,
  members: AsyncIterator<ArchiveMember>,
  announced: Announced,
  work: ArchiveWork,
): Promise<ImportResult> {
  const { alias, aliasConflict, safeOnly, signal, onProgress, makeRoom } = work;
  const { root, manifest, digest } = announced;
  const { staging } = context.paths;
  const place = { folder: staging, bytes: modelSize(manifest) };
  await requireRoom({ ...place, what: 'The model', otherwise: 'choose another data folder with MODEL_RTC_HOME' });
  const coming = { bytes: modelSize(manifest), digest };
  await makeRoom?.(coming);
  const steps = await context.loadImportSteps();
  return await withImportFolder(staging, async (staged) => {
    const files = await unpackFiles(members, manifest, staged, {
      root,
      signal,
      onProgress: inPhase(onProgress, 'copy'),
    });
    // The archive's own chunk list is not used. This one comes from the bytes, so it is right.
    const hashed = await steps.hashFiles(files, { signal, onProgress: inPhase(onProgress, 'verify') });
    requireSame(manifest, hashed.manifest);
    await makeRoom?.(coming);
    const stored = await installModel(context, {
      filesFolder: staged,
      manifest: hashed.manifest,
      entry: describe(announced.entry, work),
      alias,
      aliasConflict,
      safeOnly,
      signal,
      source: 'local-import',
      ifExists: work.ifExists === 'overwrite' ? 'overwrite' : 'skip',
    });
    const entry = await context.show(stored);
    return { entry, manifest: hashed.manifest, outcome: 'imported', skipped: [] };
  });
}

function requireSame(announced: Manifest, unpacked: Manifest): void {
  const wrong = announced.files.find((file, i) => file.sha256 !== unpacked.files[i]?.sha256);
  if (wrong === undefined) return;
  const sentence = `The archive is damaged: ${quote(wrong.path)} does not have the SHA-256 of its manifest; nothing was stored. Copy the archive here again, or export the model again.`;
  throw new ModelRtcError('verification_failed', sentence, { details: { path: wrong.path } });
}

/** What the archive says of the model, changed and extended by what the person who imports it says. */
function describe(entry: ModelEntry, { additions, modelType }: ArchiveWork): ModelEntry {
  return { ...entry, ...joinAdditions(entry, additions), modelType: modelType ?? entry.modelType };
}
