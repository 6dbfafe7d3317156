import type { MeshHolder, MeshNodeInfo, MeshReach } from '../types.ts';

type Scored = Pick<
  MeshNodeInfo,
  'key' | 'isTrusted' | 'isPresent' | 'reachedBy' | 'latencyMs' | 'bytesPerSecond' | 'reliability' | 'hinted'
>;

/** Below this, a node comes after all others: most of what was asked of it failed, or it gave wrong content. */
const UNRELIABLE = 0.35;
/** How often each way to a node comes off: a direct one before webrtc before relay. */
const BY_REACH: Readonly<Record<MeshReach, number>> = { lan: 0, direct: 0, webrtc: 1, signaling: 1, relay: 2 };
/** From so many places on, one goes to a whole holder that is chosen at random among the others, so that no order keeps any of them away for good. */
const PLACES_WITH_CHANCE = 4;
/** Differences in latency below a factor of two, and in goodput below a factor of one and a half, are noise. */
const LATENCY_STEP = 2;
const GOODPUT_STEP = 1.5;

/** Smaller is better, field by field. */
function rankOf({ isPresent, reliability, hinted, reachedBy, latencyMs, bytesPerSecond }: Scored): readonly number[] {
  return [
    isPresent ? 0 : 1,
    reliability < UNRELIABLE ? 1 : 0,
    // A way that was never tried may be a direct one.
    reachedBy === undefined ? 0 : BY_REACH[reachedBy],
    latencyMs === undefined ? 0 : Math.round(Math.log(Math.max(1, latencyMs)) / Math.log(LATENCY_STEP)),
    bytesPerSecond === undefined ? 0 : -Math.round(Math.log(Math.max(1, bytesPerSecond)) / Math.log(GOODPUT_STEP)),
    1 - (hinted ?? reliability),
  ];
}

/**
 * Compares two nodes as sources: present ones first, unreliable ones last, then by the way they were reached, then by latency, measured goodput
 * and reliability: the own one, or for a node that was never asked what others say of it.
 */
export function compareNodes(a: Scored, b: Scored): number {
  const [ranksA, ranksB] = [rankOf(a), rankOf(b)];
  for (const [i, rank] of ranksA.entries()) {
    const difference = rank - (ranksB[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.key < b.key ? -1 : Number(a.key > b.key);
}

export interface ChoiceOptions {
  /** How many to choose. */
  readonly count: number;
  /** Keys that are not asked: those in use, those that gave wrong content, those that failed a moment ago. */
  readonly except: (key: string) => boolean;
  /** From 0 to below 1: spreads many receivers over the nodes that are still fetching the model. */
  readonly random: () => number;
}

/**
 * Who to ask for a model: the best of those that have it whole and one more of them by chance, at most half of the places while others have parts of it, and at
 * random those that are still fetching it, so that many receivers do not all ask the same few.
 */
export function chooseHolders(
  holders: readonly MeshHolder[],
  { count, except, random }: ChoiceOptions,
): readonly MeshHolder[] {
  const able = holders.filter(
    ({ node }) => node.isTrusted && !node.isSelf && node.urls.length > 0 && !except(node.key),
  );
  const whole = able.filter(({ isWhole }) => isWhole).sort((a, b) => compareNodes(a.node, b.node));
  const partial = able
    .filter(({ isWhole, node }) => !isWhole && node.isPresent && node.reliability >= UNRELIABLE)
    .map((holder) => ({ holder, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ holder }) => holder);
  const places = Math.max(count - partial.length, Math.ceil(count / 2));
  const first = withOneByChance(whole, places, random);
  return [...first, ...partial.slice(0, count - first.length)];
}

/** @param sorted the best first */
function withOneByChance(sorted: readonly MeshHolder[], places: number, random: () => number): readonly MeshHolder[] {
  const best = sorted.slice(0, places);
  if (places < PLACES_WITH_CHANCE || sorted.length <= places) return best;
  const others = sorted.slice(places - 1).filter(({ node }) => node.isPresent && node.reliability >= UNRELIABLE);
  const chosen = others[Math.floor(random() * others.length)];
  return chosen === undefined ? best : [...best.slice(0, -1), chosen];
}
