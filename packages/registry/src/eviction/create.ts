import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit, withLock } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { StoredEntry } from '../entry/types.ts';
import { notesFolderOf } from '../files/registered-model.ts';
import { removeModel } from '../manage/remove-model.ts';
import { Ledger, type SharedFile } from './ledger.ts';
import { type Candidate, noRoomError, planEviction } from './plan-eviction.ts';
import type { EvictedModel, Eviction, RoomMade, RoomOptions, Spared } from './types.ts';

/** A model counts as in use for this long after it was used: the next reader may come before it says so. */
const JUST_USED_MS = 10_000;
/** How often to plan again when a chosen model got a name or a reader meanwhile. */
const MAX_PLANS = 5;
/** Their files are looked at. */
const MODELS_AT_ONCE = 8;

type StoredCandidate = Candidate & { readonly stored: StoredEntry };

export function createEviction(context: RegistryContext): Eviction {
  const { uses, paths } = context;
  return {
    makeRoom: async (options) => {
      if (options.dryRun === true) return (await plan(context, options)).made;
      // Two processes that make room at once would each count the same models.
      return await withLock(join(paths.models, 'eviction.lock'), {}, () => makeRoom(context, options));
    },
    lastUsedAt: async (entry) => new Date(await lastUsedMs(context, entry)),
    noteUse: async (digest) => await uses.note(digest),
    holdModel: async (digest) => await uses.hold(digest),
  };
}

async function makeRoom(context: RegistryContext, options: RoomOptions): Promise<RoomMade> {
  const evicted: EvictedModel[] = [];
  for (let plans = 1; ; plans++) {
    const { chosen, made } = await plan(context, options);
    let isLeftOut = false;
    for (const candidate of chosen) {
      if (await evict(context, candidate, options)) evicted.push(shown(candidate));
      else isLeftOut = true;
    }
    if (!isLeftOut) return { evicted, usedBytes: made.usedBytes };
    if (plans === MAX_PLANS) throw noRoomError((await occupants(context, options)).list, options);
  }
}

async function plan(context: RegistryContext, options: RoomOptions) {
  const { list, nowMs } = await occupants(context, options);
  const chosen = planEviction(list, options, nowMs);
  if (chosen === undefined) throw noRoomError(list, options);
  const { usedBytes } = new Ledger(list.filter((one) => !chosen.includes(one)));
  const made: RoomMade = { evicted: chosen.map(shown), usedBytes };
  return { chosen, made };
}

/** The models whose files this tool copied: links take no room, and are nobody's to remove. */
async function occupants(context: RegistryContext, { needed = [], capBytes, bytes, comingBytes = 0 }: RoomOptions) {
  const nowMs = context.now().getTime();
  const held = await context.uses.held();
  const neededModels = new Set<string>(needed.map(({ model }) => model));
  const list: StoredCandidate[] = [];
  for (const stored of (await context.index.read()).byId.values()) {
    if (stored.linked || stored.filesIn !== undefined) continue;
    const usedMs = await lastUsedMs(context, stored);
    const isBusy = stored.digest !== undefined && (held.has(stored.digest) || neededModels.has(stored.digest));
    const spared = sparedBecause(stored) ?? (isBusy || nowMs - usedMs < JUST_USED_MS ? 'in_use' : undefined);
    list.push({ stored, id: stored.id, bytes: stored.size, lastUsedMs: usedMs, spared });
  }
  // Looking at every file takes a while, and is only needed where the sizes alone are too much.
  const isEnough = new Ledger(list).usedBytes + comingBytes + bytes <= capBytes;
  return { list: isEnough ? list : await mapLimit(list, MODELS_AT_ONCE, (one) => withShared(context, one)), nowMs };
}

/** Which of its files are hard links to others. */
async function withShared({ paths }: RegistryContext, candidate: StoredCandidate): Promise<StoredCandidate> {
  const shared = new Map<string, SharedFile>();
  const files = await readdir(notesFolderOf(paths, candidate.stored), { withFileTypes: true, recursive: true }).catch(
    () => [],
  );
  for (const file of files) {
    if (!file.isFile()) continue;
    const found = await lstat(join(file.parentPath, file.name)).catch(() => undefined);
    if (found === undefined || found.nlink < 2) continue;
    const key = `${found.dev}:${found.ino}`;
    shared.set(key, { bytes: found.size, names: (shared.get(key)?.names ?? 0) + 1 });
  }
  return shared.size === 0 ? candidate : { ...candidate, shared };
}

/** What the entry itself says for the model. */
function sparedBecause(stored: StoredEntry): Spared | undefined {
  if (stored.alias !== undefined) return 'alias';
  if (stored.pinned === true) return 'pin';
  if ((stored.releases ?? []).length > 0) return 'release';
  if (stored.linked || stored.filesIn !== undefined) return 'linked';
  // Without a digest it is a run, whose files its training may still change.
  return stored.status === 'training' || stored.digest === undefined ? 'training' : undefined;
}

async function lastUsedMs(
  { uses }: RegistryContext,
  entry: Pick<StoredEntry, 'digest' | 'createdAt' | 'downloadedAt' | 'importedAt'>,
): Promise<number> {
  const { digest, createdAt, downloadedAt, importedAt } = entry;
  const noted = digest === undefined ? undefined : await uses.lastUsedMs(digest);
  const times = [
    noted,
    ...[downloadedAt, importedAt].map((time) => (time === undefined ? undefined : Date.parse(time))),
  ];
  const known = times.filter((time) => time !== undefined && Number.isFinite(time)) as number[];
  return known.length > 0 ? Math.max(...known) : Date.parse(createdAt ?? '') || 0;
}

/** @returns false for a model that may no longer go */
async function evict(context: RegistryContext, { stored }: StoredCandidate, { needed }: RoomOptions): Promise<boolean> {
  const { digest } = stored;
  try {
    await removeModel(context, digest ?? stored.id, {
      needed,
      // Under the registry's lock, so that a name or pin that came meanwhile counts.
      mayGo: async (now) =>
        sparedBecause(now) === undefined && !(digest !== undefined && (await context.uses.held()).has(digest)),
    });
    if (digest !== undefined) await context.uses.forget(digest);
    return true;
  } catch (error) {
    const { code } = ModelRtcError.from(error);
    // Gone already: it takes no room any more.
    if (code === 'not_found_locally') return true;
    if (code === 'refused' || code === 'busy') return false;
    throw error;
  }
}

function shown({ stored, id, bytes, lastUsedMs: usedMs }: StoredCandidate): EvictedModel {
  const { digest, modelType } = stored;
  return { id, digest, modelType, bytes, lastUsedAt: new Date(usedMs).toISOString() };
}
