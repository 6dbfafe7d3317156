import { type Digest, ModelRtcError, unlessFails } from '@model-rtc/protocol';
import { isMap, type ModelList } from '../format/model-list.ts';
import { versionText } from '../format/versions.ts';
import { PRUNE_AGE_MS } from '../limits.ts';
import { StaticRegistry } from '../static-registry.ts';
import type { RegistryStore } from '../store/types.ts';
import type { PublishTarget, StoredData } from './target.ts';

export interface PruneOptions {
  /** How long ago a file must have been written, or named in a publication, to be removed; a week by default. */
  readonly olderThanMs?: number | undefined;
  readonly onRemove?: ((hash: Digest, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PruneResult {
  readonly removedFiles: number;
  readonly removedBytes: number;
  /** Files that no version names and that are too young to be removed, or that a version had until lately. */
  readonly keptFiles: number;
}

/**
 * Removes the files that no version of a registry names, but for young ones: somebody may be fetching a version that was replaced,
 * or publishing one that the list does not name yet.
 * @param store - the same registry, to read it
 * @throws ModelRtcError as reading does: when one manifest cannot be read, nothing is removed; `invalid_model` for a version that is
 * written in a way that we do not know, since it may name files
 */
export async function pruneRegistry(
  target: PublishTarget,
  store: RegistryStore,
  { olderThanMs = PRUNE_AGE_MS, onRemove, signal }: PruneOptions,
): Promise<PruneResult> {
  const registry = new StaticRegistry({ store });
  const list = await registry.list(signal);
  requireUnderstood(list);
  const beforeMs = (await target.nowMs(signal)) - olderThanMs;
  const named = await namedFiles(registry, list, signal);
  const fetched = await replacedFiles(registry, list, beforeMs, signal);
  let [removedFiles, removedBytes, keptFiles] = [0, await target.clearUnfinished(beforeMs, signal), 0];
  const removing = new Set<Promise<void>>();
  const remove = async ({ hash, bytes }: StoredData): Promise<void> => {
    if (!(await target.removeOlder(hash, beforeMs, signal))) {
      keptFiles++;
      return;
    }
    removedFiles++;
    removedBytes += bytes;
    onRemove?.(hash, bytes);
  };
  try {
    for await (const data of target.listData(signal)) {
      if (named.has(data.hash)) continue;
      if (data.writtenAtMs >= beforeMs || fetched.has(data.hash)) {
        keptFiles++;
        continue;
      }
      if (removing.size >= target.concurrency) await Promise.race(removing);
      const work = remove(data).then(() => void removing.delete(work));
      // A failed one stays in the set, and ends the loop when it is waited for.
      work.catch(() => undefined);
      removing.add(work);
    }
    await Promise.all(removing);
  } finally {
    await Promise.allSettled(removing);
  }
  return { removedFiles, removedBytes, keptFiles };
}

async function namedFiles(
  registry: StaticRegistry,
  list: ModelList,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<Digest>> {
  const named = new Set<Digest>();
  for (const listed of list.all()) {
    if (listed.kind !== 'version' || named.has(listed.hash)) continue;
    named.add(listed.hash);
    const { chunks } = await registry.manifest(listed.hash, signal);
    for (const chunk of chunks) named.add(chunk);
  }
  return named;
}

/** What versions consisted of until they were replaced, since the time that is given. A manifest that is gone names nothing. */
async function replacedFiles(
  registry: StaticRegistry,
  list: ModelList,
  sinceMs: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<Digest>> {
  const files = new Set<Digest>();
  for (const version of list.all()) {
    for (const { hash, at } of list.replaced(version)) {
      if (Date.parse(at) < sinceMs) continue;
      files.add(hash);
      const manifest = await unlessFails(registry.manifest(hash, signal), 'invalid_model', 'verification_failed');
      for (const chunk of manifest?.chunks ?? []) files.add(chunk);
    }
  }
  return files;
}

function requireUnderstood(list: ModelList): void {
  for (const [group, models] of mapsIn(list.raw)) {
    for (const [model, versions] of mapsIn(models)) {
      const known = new Set(list.versions(group, model).map(({ version }) => version));
      for (const [version] of mapsIn(versions)) {
        if (known.has(version)) continue;
        const name = versionText({ group, model, version });
        throw new ModelRtcError(
          'invalid_model',
          `The list of models has ${JSON.stringify(name)}, which says in no known way what it consists of, so it may need any file. Nothing was removed. Correct the list first.`,
        );
      }
    }
  }
}

function mapsIn(map: object): [string, object][] {
  return Object.entries(map).filter(([, value]) => isMap(value));
}
