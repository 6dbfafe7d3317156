import { isDeepStrictEqual } from 'node:util';
import type { ModelEntry } from '@model-rtc/protocol';
import type { RegistryIndex } from '../entry/types.ts';
import type { AliasDifference, WorkerChanges } from './types.ts';
import { modelKey, parseSeenModel, type StoredWorker } from './worker-file.ts';

/** How a worker's models differ from what was known of them, and from the names here. */
export function workerChanges(
  before: StoredWorker | undefined,
  models: readonly ModelEntry[],
  here: RegistryIndex,
): WorkerChanges {
  const known = before?.models ?? new Map<string, unknown>();
  const added: ModelEntry[] = [];
  const updated: ModelEntry[] = [];
  for (const entry of models) {
    const stored = known.get(modelKey(entry));
    if (isSameText(stored, entry)) continue;
    const old = parseSeenModel(stored)?.entry;
    if (old === undefined) added.push(entry);
    else if (!isDeepStrictEqual(plain(old), plain(entry))) updated.push(entry);
  }
  return { added, updated, removed: removedModels(known, models), aliasDifferences: aliasDifferences(models, here) };
}

function removedModels(known: ReadonlyMap<string, unknown>, models: readonly ModelEntry[]): ModelEntry[] {
  const now = new Set(models.map(modelKey));
  return [...known]
    .filter(([key]) => !now.has(key))
    .map(([, stored]) => parseSeenModel(stored)?.entry)
    .filter((entry) => entry !== undefined);
}

function aliasDifferences(models: readonly ModelEntry[], here: RegistryIndex): AliasDifference[] {
  const differences: AliasDifference[] = [];
  for (const { digest, alias: there } of models) {
    const mine = digest === undefined ? undefined : here.byDigest.get(digest);
    if (digest === undefined || mine === undefined || mine.alias === there) continue;
    differences.push({ digest, id: mine.id, here: mine.alias, there });
  }
  return differences;
}

/** Most models are unchanged and arrive as the same text, which needs no closer look. */
function isSameText(stored: unknown, entry: ModelEntry): boolean {
  const { entry: old } = (stored ?? {}) as { readonly entry?: unknown };
  return old !== undefined && JSON.stringify(old) === JSON.stringify(entry);
}

/** An entry as JSON keeps it, without its undefined fields. */
function plain(entry: ModelEntry): unknown {
  return JSON.parse(JSON.stringify(entry));
}
