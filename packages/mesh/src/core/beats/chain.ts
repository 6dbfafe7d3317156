import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { MAX_BEATS } from '../limits.ts';

/** A value of a chain: half a SHA-256. Nobody finds what hashes to one. */
export const BEAT_VALUE_BYTES = 16;

const DOMAIN = utf8ToBytes('model-rtc/1/mesh/beat\0');

/** What a head says of the chain that its beats come from. */
export interface BeatPlan {
  /** The last value of the chain, which is revealed first. */
  readonly anchor: Uint8Array;
  readonly intervalMs: number;
  /** How many beats the chain has. */
  readonly count: number;
}

/** The chain of one head, at the node that signed it. It is kept in memory alone: a node that starts again signs a new head. */
export interface BeatChain {
  readonly plan: BeatPlan;
  /** @param index 1 to `plan.count` */
  valueAt(index: number): Uint8Array;
}

export interface BeatChainOptions {
  /** The node's key: 64 hex characters. */
  readonly key: string;
  /** 16 random bytes. */
  readonly seed: Uint8Array;
  readonly intervalMs: number;
  readonly count: number;
}

/** Makes a chain: the seed is its first value, and each other is the hash of the one before. */
export function createBeatChain({ key, seed, intervalMs, count }: BeatChainOptions): BeatChain {
  const bounded = Math.min(Math.max(1, count), MAX_BEATS);
  const values = [Uint8Array.from(seed)];
  const hash = beatHash(key);
  for (let i = 0; i < bounded; i++) values.push(hash(values[i] as Uint8Array));
  return {
    plan: { anchor: values[bounded] as Uint8Array, intervalMs, count: bounded },
    valueAt: (index) => values[bounded - index] as Uint8Array,
  };
}

/** Hashes a value forward. @param steps how often: the caller bounds it */
export function hashForward(key: string, value: Uint8Array, steps: number): Uint8Array {
  const hash = beatHash(key);
  let at = Uint8Array.from(value);
  for (let i = 0; i < steps; i++) at = hash(at);
  return at;
}

/** The key is hashed as well, so that guessing at the chains of all nodes at once is no quicker than at one. */
function beatHash(key: string): (value: Uint8Array) => Uint8Array<ArrayBuffer> {
  const prefix = concatBytes(DOMAIN, hexToBytes(key));
  return (value) => Uint8Array.from(sha256(concatBytes(prefix, value)).subarray(0, BEAT_VALUE_BYTES));
}
