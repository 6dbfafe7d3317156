import type { Digest } from '@model-rtc/protocol';
import type { DataLimits, Owner, StoredSet } from './types.ts';

/** What has to go so that something else fits. */
export interface Eviction {
  readonly gone: ReadonlySet<Digest>;
  /** Sets that only lose the owner who pushes: others have them too. */
  readonly disowned: ReadonlySet<Digest>;
  /** Whose limit does not allow it, however much may go. */
  readonly refusedBy: 'owner' | 'cache' | undefined;
}

export interface Incoming {
  readonly owner: Owner;
  readonly bytes: number;
}

interface EvictionOptions {
  readonly sets: readonly StoredSet[];
  readonly limits: DataLimits;
  /** Never removed. */
  readonly needed: ReadonlySet<Digest>;
  /** What is coming already; room is kept for it. */
  readonly coming: readonly Incoming[];
}

/** Decides what goes for new data: of the owner's own sets, then of all, those that were used longest ago. */
export function planEviction(incoming: Incoming, { sets, limits, needed, coming }: EvictionOptions): Eviction {
  const gone = new Set<Digest>();
  const disowned = new Set<Digest>();
  const { owner } = incoming;
  const oldest = [...sets].sort((a, b) => a.lastUsedMs - b.lastUsedMs);
  const own = oldest.filter(({ owners }) => owners.includes(owner));
  let ownBytes = sum(own) + sum(coming.filter((other) => other.owner === owner)) + incoming.bytes;
  for (const { digest, bytes, owners } of own) {
    if (ownBytes <= limits.maxBytesPerOwner) break;
    if (needed.has(digest)) continue;
    (owners.length === 1 ? gone : disowned).add(digest);
    ownBytes -= bytes;
  }
  if (ownBytes > limits.maxBytesPerOwner) return { ...NOTHING, refusedBy: 'owner' };
  let allBytes = sum(sets.filter(({ digest }) => !gone.has(digest))) + sum(coming) + incoming.bytes;
  for (const { digest, bytes } of oldest) {
    if (allBytes <= limits.maxBytes) break;
    if (needed.has(digest) || gone.has(digest)) continue;
    gone.add(digest);
    allBytes -= bytes;
  }
  return allBytes > limits.maxBytes ? { ...NOTHING, refusedBy: 'cache' } : { gone, disowned, refusedBy: undefined };
}

const NOTHING = { gone: new Set<Digest>(), disowned: new Set<Digest>() } as const;

/** What goes by itself: what nobody used for too long, and, after a limit was lowered, what is above it. */
export function planTidying({ sets, limits, needed }: Omit<EvictionOptions, 'coming'>, nowMs: number): Digest[] {
  const gone: Digest[] = [];
  let bytes = sum(sets);
  for (const set of [...sets].sort((a, b) => a.lastUsedMs - b.lastUsedMs)) {
    const isOld = nowMs - set.lastUsedMs > limits.maxAgeMs;
    if (needed.has(set.digest) || (!isOld && bytes <= limits.maxBytes)) continue;
    gone.push(set.digest);
    bytes -= set.bytes;
  }
  return gone;
}

function sum(items: readonly { readonly bytes: number }[]): number {
  return items.reduce((bytes, item) => bytes + item.bytes, 0);
}
