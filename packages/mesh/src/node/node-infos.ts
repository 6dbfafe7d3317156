import * as z from 'zod';
import { GOODBYE_TTL_MS, MAX_SKEW_MS } from '../core/limits.ts';
import type { HintBook } from '../select/hints.ts';
import type { MeshMember, MeshNodeInfo, MeshReach } from '../types.ts';
import type { StoredMeshView } from './records/stored-view.ts';
import type { RecordCache } from './state/record-cache.ts';
import { reliabilityAt, type Scores } from './state/scores.ts';

/** Where the worker keeps how it reaches each node, in the cache. */
const REACH_PREFIX = 'reach/';

const reachSchema = z.record(z.string(), z.enum(['lan', 'signaling', 'direct', 'webrtc', 'relay']));

/** Keeps how the worker of this machine reaches each node, by their keys. @throws ModelRtcError `storage` */
export async function keepReach(
  cache: Pick<RecordCache, 'putRecord'>,
  meshId: string,
  reach: ReadonlyMap<string, MeshReach>,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(Object.fromEntries(reach)));
  // The latest counts, even if the date was set back since.
  await cache.putRecord(`${REACH_PREFIX}${meshId}`, { bytes, heardAtMs: Date.now(), order: 0 });
}

/** How the worker of this machine reaches each node. */
export function readReach(cache: Pick<RecordCache, 'records'>, meshId: string): Map<string, MeshReach> {
  const [record] = cache.records(`${REACH_PREFIX}${meshId}`).values();
  if (record === undefined) return new Map();
  try {
    return new Map(Object.entries(reachSchema.parse(JSON.parse(Buffer.from(record.bytes).toString('utf8')))));
  } catch {
    // Damaged; the worker tells it again.
    return new Map();
  }
}

export interface NodeInfoParts {
  readonly view: Pick<StoredMeshView, 'members' | 'catalogOf' | 'aliveAtMs' | 'problemOf' | 'ownKey'>;
  readonly ownName: string;
  /** Whether this machine's worker runs. */
  readonly hasWorker: boolean;
  readonly scores: Scores;
  readonly distrusted: ReadonlySet<string>;
  /** Whether models may be fetched from the node with this key. */
  readonly hasConsent: (key: string) => boolean;
  readonly reach: ReadonlyMap<string, MeshReach>;
  /** What was said at the last look, as far as that is kept. */
  readonly hints: HintBook;
  readonly nowMs: number;
}

/** All members as this machine sees them: itself first, then by name. */
export function nodeInfos({
  view,
  ownName,
  hasWorker,
  scores,
  distrusted,
  hasConsent,
  reach,
  hints,
  nowMs,
}: NodeInfoParts): MeshNodeInfo[] {
  const members: readonly Pick<MeshMember, 'key' | 'name'>[] = view.members();
  // It is shown where it was removed too, with the reason.
  const isIn = members.some(({ key }) => key === view.ownKey);
  const infos = (isIn ? members : [{ key: view.ownKey, name: ownName }, ...members]).map((member): MeshNodeInfo => {
    const { key } = member;
    const head = view.catalogOf(key);
    const isSelf = key === view.ownKey;
    const aliveAtMs = view.aliveAtMs(key);
    // How it was reached a moment ago says nothing of a node that took its leave.
    const hasLeft = head !== undefined && head.ttlMs <= GOODBYE_TTL_MS;
    const isFresh = head !== undefined && nowMs - (aliveAtMs ?? 0) <= head.ttlMs + MAX_SKEW_MS;
    const reachedBy = hasLeft ? undefined : reach.get(key);
    const score = scores.nodes[key];
    return {
      ...{
        key,
        name: head?.name ?? member.name,
        role: head?.role ?? 'client',
        isSelf,
        isTrusted: !distrusted.has(key),
        hasConsent: isSelf || hasConsent(key),
      },
      ...{
        tags: head?.tags ?? [],
        properties: head?.properties ?? {},
        urls: head?.urls ?? [],
        bridgeUrl: head?.bridgeUrl,
      },
      ...{ fetching: head?.fetching ?? [], sequence: head?.sequence ?? 0, modelCount: head?.modelCount ?? 0 },
      heardAt: aliveAtMs === undefined ? undefined : new Date(Math.min(aliveAtMs, nowMs)),
      isPresent: isSelf ? hasWorker : !hasLeft && (isFresh || reachedBy !== undefined),
      ...{ reachedBy, latencyMs: score?.latencyMs, bytesPerSecond: score?.bytesPerSecond },
      ...{ reliability: score === undefined ? 1 : reliabilityAt(score, nowMs), problem: view.problemOf(key) },
    };
  });
  return toldApart(withHints(infos, view, scores, hints)).sort((a, b) => Number(b.isSelf) - Number(a.isSelf));
}

const NO_HINTS: readonly never[] = [];

/** What members say of those that this machine has not asked. Its own outcomes come before whatever others say. */
function withHints(
  infos: readonly MeshNodeInfo[],
  view: Pick<NodeInfoParts['view'], 'catalogOf'>,
  { nodes: measured }: Scores,
  hints: HintBook,
): MeshNodeInfo[] {
  const givers = infos.filter(({ isSelf, isTrusted, isPresent }) => !isSelf && isTrusted && isPresent);
  hints.update(givers.map(({ key }) => ({ key, hints: view.catalogOf(key)?.hints ?? NO_HINTS })));
  return infos.map((info) =>
    info.isSelf || measured[info.key] !== undefined ? info : { ...info, hinted: hints.of(info.key) },
  );
}

/** Nodes of one name get the beginning of their key behind it. */
function toldApart(infos: readonly MeshNodeInfo[]): MeshNodeInfo[] {
  const counts = new Map<string, number>();
  for (const { name } of infos) counts.set(name, (counts.get(name) ?? 0) + 1);
  return infos.map((info) =>
    (counts.get(info.name) ?? 0) > 1 ? { ...info, name: keyedName(info.name, info.key) } : info,
  );
}

/** How a node is named where others have its name too. */
export function keyedName(name: string, key: string): string {
  return `${name}-${key.slice(0, 8)}`;
}
