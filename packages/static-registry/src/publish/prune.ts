import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ModelList } from '../format/model-list.ts';
import { versionText } from '../format/versions.ts';
import { PRUNE_AGE_MS } from '../limits.ts';
import { StaticRegistry } from '../static-registry.ts';
import type { RegistryStore } from '../store/types.ts';
import type { PublishTarget } from './target.ts';

export interface PruneOptions {
  /** How long ago a file must have been written, or named in a publication, to be removed; a week by default. */
  readonly olderThanMs?: number | undefined;
  readonly onRemove?: ((hash: Digest, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PruneResult {
  readonly removedFiles: number;
  readonly removedBytes: number;
  /** Files that no version names and that are too young to be removed. */
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
  const named = await namedFiles(registry, list, signal);
  const beforeMs = (await target.nowMs(signal)) - olderThanMs;
  let [removedFiles, removedBytes, keptFiles] = [0, await target.clearUnfinished(beforeMs, signal), 0];
  for await (const { hash, bytes, writtenAtMs } of target.listData(signal)) {
    if (named.has(hash)) continue;
    if (writtenAtMs < beforeMs && (await target.removeOlder(hash, beforeMs, signal))) {
      removedFiles++;
      removedBytes += bytes;
      onRemove?.(hash, bytes);
    } else keptFiles++;
  }
  return { removedFiles, removedBytes, keptFiles };
}

async function namedFiles(
  registry: StaticRegistry,
  list: ModelList,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<Digest>> {
  const named = new Set<Digest>();
  for (const group of list.groups()) {
    for (const model of list.models(group)) {
      for (const listed of list.versions(group, model)) {
        if (listed.kind !== 'version' || named.has(listed.hash)) continue;
        named.add(listed.hash);
        const { chunks } = await registry.manifest(listed.hash, signal);
        for (const chunk of chunks) named.add(chunk);
      }
    }
  }
  return named;
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
  return Object.entries(map).filter(
    ([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
}
