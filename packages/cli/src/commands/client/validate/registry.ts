import type { SpeedOptions } from '@model-rtc/client';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { Orphan, Registry, RegistryEntry, UnknownFolder } from '@model-rtc/registry';
import type { Context } from '../../../console/context.ts';
import { formatCount } from '../../../console/format.ts';
import { packageVersion } from '../../../package.ts';
import type { NetworkOptions } from '../../options.ts';
import type { VerifiedLine } from '../verify/text.ts';
import { allModels, verifyEach } from '../verify/verify-each.ts';

/** Something that does not fit between the registry and the disk. */
export interface RegistryFinding {
  readonly kind: 'entry-without-folder' | 'folder-without-entry' | 'wrong-bytes';
  /** The model's id, or the folder's name. */
  readonly name: string;
  readonly alias?: string | undefined;
  /** What is wrong, as a sentence. */
  readonly problem: string;
  /** `found`: nothing was changed, without `--fix`. `marked`: nothing helped, and the entry says so. */
  readonly outcome: 'found' | 'mended' | 'moved' | 'marked';
  /** What was done, as a sentence. */
  readonly done?: string | undefined;
}

export interface RegistryReport {
  readonly models: number;
  readonly findings: readonly RegistryFinding[];
  readonly orphans: readonly Orphan[];
}

export interface CheckRegistryOptions extends NetworkOptions, Pick<SpeedOptions, 'priority'> {
  readonly quick: boolean;
  readonly fix: boolean;
}

/** Compares the registry with the disk. Changes nothing without `fix`, and deletes nothing with it. */
export async function checkRegistry(context: Context, options: CheckRegistryOptions): Promise<RegistryReport> {
  const registry = await context.registry();
  const entries = await allModels(registry);
  const homeless = await registry.entriesWithoutFolders();
  const unknown = await registry.unknownFolders();
  const findings: RegistryFinding[] = [];
  for (const entry of homeless) findings.push(await withoutFolder(context, registry, entry, options));
  for (const folder of unknown) findings.push(await withoutEntry(context, registry, folder, options));
  const gone = new Set(homeless.map(({ id }) => id));
  const there = entries.filter(({ id }) => !gone.has(id));
  const lines = await verifyEach(context, registry, there, { ...options, repair: options.fix });
  for (const line of lines) {
    if (line.problems.length > 0) findings.push(await wrongBytes(registry, line, options.fix));
  }
  const places = new Set(unknown.map(({ path }) => path));
  const orphans = (await registry.findOrphans()).filter(({ path }) => !places.has(path));
  return { models: entries.length, findings, orphans };
}

/** Its originals or a worker may have the model; where nothing has it, the entry is kept beside. */
async function withoutFolder(
  context: Context,
  registry: Registry,
  { id, alias, linked, originalPath }: RegistryEntry,
  options: CheckRegistryOptions,
): Promise<RegistryFinding> {
  const found = { kind: 'entry-without-folder', name: id, alias, problem: 'its folder is missing' } as const;
  if (!options.fix) return { ...found, outcome: 'found' };
  const { signal } = context;
  try {
    if (linked && originalPath !== undefined) {
      await registry.relink(id, originalPath, { signal });
      return { ...found, outcome: 'mended', done: `it is linked to ${originalPath} again, verified` };
    }
    const { repairDamaged } = await import('../repair-model.ts');
    const verified = await registry.verify(id, { signal });
    if (verified.state === 'sound') return { ...found, outcome: 'mended', done: 'its folder is back' };
    const controls = { onProgress: await context.output.progress(), priority: options.priority };
    const { from = 'this machine' } = await repairDamaged(context, options, verified, controls);
    return { ...found, outcome: 'mended', done: `it was fetched again from ${from}` };
  } catch (error) {
    signal.throwIfAborted();
    const reason = ModelRtcError.from(error).message;
    const kept = await registry.dropEntry(id);
    if (kept === undefined) return { ...found, outcome: 'mended', done: 'its folder is back' };
    return { ...found, outcome: 'moved', done: `nothing has the model (${reason}), so its entry is in ${kept}` };
  }
}

/** A folder that holds a whole model with its notes is registered whenever the registry is opened; this one is not. */
async function withoutEntry(
  context: Context,
  registry: Registry,
  { folder, files }: UnknownFolder,
  { fix }: CheckRegistryOptions,
): Promise<RegistryFinding> {
  const problem = `${formatCount(files, 'file')} without a readable entry`;
  const found = { kind: 'folder-without-entry', name: folder, problem } as const;
  if (!fix) return { ...found, outcome: 'found' };
  const kept = await registry.keepUnknownFolder(folder);
  if (kept === undefined) return { ...found, outcome: 'mended', done: 'it is registered by now' };
  try {
    const { entry, outcome } = await registry.importModel(kept, { ifExists: 'skip', signal: context.signal });
    const how = outcome === 'already_there' ? 'the same model is here as' : 'registered as';
    return { ...found, outcome: 'mended', done: `its files are in ${kept}; ${how} ${entry.id}` };
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = ModelRtcError.from(error).message;
    return { ...found, outcome: 'moved', done: `it is no model that is known (${reason}), and is in ${kept}` };
  }
}

/** What nothing could repair is marked in the entry, and stays where it is. */
async function wrongBytes(
  registry: Registry,
  { entry, problems, damagedFiles, repair }: VerifiedLine,
  fix: boolean,
): Promise<RegistryFinding> {
  const [first] = problems;
  const more = damagedFiles > 1 ? `; and ${formatCount(damagedFiles - 1, 'more file')}` : '';
  const problem = `${first?.path ?? ''}${first?.path ? ': ' : ''}${first?.problem ?? ''}${more}`;
  const found = { kind: 'wrong-bytes', name: entry.id, alias: entry.alias, problem } as const;
  if (!fix) return { ...found, outcome: 'found' };
  if (repair?.outcome !== 'failed') return { ...found, outcome: 'mended', done: 'it was repaired' };
  const result = { check: 'checksums', outcome: 'failed', detail: problem } as const;
  await registry.noteCheck(entry.digest as Digest, result, packageVersion());
  return { ...found, outcome: 'marked', done: `not repaired, and marked: ${repair.reason}` };
}
