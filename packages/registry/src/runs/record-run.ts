import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { atStorage } from '@model-rtc/files';
import { type Alias, ModelRtcError, suggestAlias } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { nearestFreeAlias, renamed } from '../entry/aliases.ts';
import { entriesAt } from '../entry/registry-index.ts';
import { type RegistryIndex, type StoredEntry, storedEntrySchema } from '../entry/types.ts';
import { clearAway, type LeavingModel, takeOut } from '../manage/remove-model.ts';
import { updateEntryNote, writeNotes } from '../store/model-notes.ts';
import { type RunFacts, readRunFacts } from './run-facts.ts';
import type { RunState } from './types.ts';

const RUN_ID = 'run-';
const SHORT_HASH = 8;
const HASH_STEP = 4;

/**
 * Registers a run or updates it. A found model that trains on makes way for the run, since its files are no longer the
 * hashed ones. A model that a person imported from there stays as it is.
 */
export async function recordRun(context: RegistryContext, run: RunState): Promise<StoredEntry> {
  const facts = await readRunFacts(run.path, run.foundIn);
  const { stored, leaving } = await context.index.update<Recorded>(async (index) => {
    const [before] = entriesAt(index, run.path);
    if (before?.digest !== undefined && before.foundIn === undefined) return { result: { stored: before } };
    const next = describe(context, index, run, facts, before);
    const isKnown = before !== undefined && before.digest === undefined;
    if (isKnown && JSON.stringify(next) === JSON.stringify(before)) return { result: { stored: before } };
    await writeRunFolder(context, next, isKnown);
    if (before === undefined || isKnown) return { result: { stored: next }, put: [next] };
    return {
      result: { stored: next, leaving: await takeOut(context, before, 'deleting') },
      remove: [before.id],
      put: [next],
    };
  });
  if (leaving !== undefined) await clearAway(context, leaving);
  return stored;
}

interface Recorded {
  readonly stored: StoredEntry;
  /** The model that the run replaces. */
  readonly leaving?: LeavingModel | undefined;
}

function describe(
  { now }: RegistryContext,
  index: RegistryIndex,
  { path, status, foundIn }: RunState,
  { facts: { runName, completedAt: _, ...facts }, size, fileCount, resumeCommand }: RunFacts,
  before: StoredEntry | undefined,
): StoredEntry {
  const runHash = createHash('sha256').update(path).digest('hex');
  const id = before !== undefined && before.digest === undefined ? before.id : freeRunId(index, runHash);
  const described = storedEntrySchema.safeParse({
    ...facts,
    id,
    runHash,
    folder: before !== undefined && before.digest === undefined ? before.folder : `${facts.modelType}_${id}`,
    alias: before?.alias,
    aliasSince: before?.aliasSince,
    formerAliases: before?.formerAliases ?? [],
    name: before?.name,
    tags: before?.tags ?? [],
    notes: before?.notes,
    source: 'worker-training',
    status,
    size,
    fileCount,
    linked: true,
    originalPath: path,
    foundIn: foundIn ?? before?.foundIn,
    resumeCommand: status === 'interrupted' ? resumeCommand : undefined,
  });
  if (!described.success) {
    const sentence = `The run at ${path} cannot be registered: ${described.error.issues[0]?.message}. Check its configuration.`;
    throw new ModelRtcError('invalid_model', sentence, { cause: described.error });
  }
  if (before !== undefined) return described.data;
  return renamed(described.data, aliasFor(index, runName ?? basename(path)), now());
}

function aliasFor(index: RegistryIndex, name: string): Alias {
  return nearestFreeAlias(index, suggestAlias(name));
}

/** The same path gets the same id again, unless another run has it. */
function freeRunId(index: RegistryIndex, runHash: string): string {
  let length = SHORT_HASH;
  while (index.byId.has(RUN_ID + runHash.slice(0, length)) && length < runHash.length) length += HASH_STEP;
  return RUN_ID + runHash.slice(0, length);
}

/** The registry's own note of the run, to rebuild a lost index from. The run's files stay where they are. */
async function writeRunFolder({ paths }: RegistryContext, stored: StoredEntry, isKnown: boolean): Promise<void> {
  const place = join(paths.models, stored.folder);
  await atStorage(place, 'written', async () => {
    await mkdir(place, { recursive: true });
    const notes = await readdir(place);
    if (isKnown && notes.length > 0) await updateEntryNote(place, stored);
    else await writeNotes(place, { entry: stored });
  });
}
