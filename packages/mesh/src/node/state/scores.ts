import { join } from 'node:path';
import * as z from 'zod';
import { hintKey, type ReliabilityHint } from '../../core/catalog/hints.ts';
import { MAX_HINTS } from '../../core/limits.ts';
import type { MeshOutcome } from '../../types.ts';
import { JsonFile } from './json-file.ts';

const scoreSchema = z.object({
  /** 0 to 1. */
  reliability: z.number().min(0).max(1),
  latencyMs: z.number().min(0).optional(),
  bytesPerSecond: z.number().min(0).optional(),
  at: z.iso.datetime(),
});
const scoresSchema = z.object({ nodes: z.record(z.string(), scoreSchema) });
export type Scores = z.infer<typeof scoresSchema>;

/** How much the newest outcome counts. */
const WEIGHT = 0.2;
/** Nodes whose scores are kept; those that were asked longest ago go first. */
const MAX_SCORES = 2_048;

/** After this time without an outcome, half of what a node lacks is forgiven: a machine that was off for a night is not asked last for ever. */
const FORGIVEN_HALF_MS = 24 * 3_600_000;

/** How reliable a node counts now. */
export function reliabilityAt({ reliability, at }: Scores['nodes'][string], nowMs: number): number {
  const ageMs = Math.max(0, nowMs - Date.parse(at));
  return 1 - (1 - reliability) * 0.5 ** (ageMs / FORGIVEN_HALF_MS);
}

/** What came of asking nodes for data, in the mesh's folder. */
export function scoresFile(folder: string): JsonFile<Scores> {
  return new JsonFile({ path: join(folder, 'scores.json'), schema: scoresSchema, empty: { nodes: {} } });
}

/** The scores with one more outcome of a node. */
export function withOutcome({ nodes }: Scores, key: string, outcome: MeshOutcome, now: Date): Scores {
  const before = nodes[key];
  const rate = outcome.ok && outcome.ms > 0 && outcome.bytes > 0 ? (outcome.bytes * 1000) / outcome.ms : undefined;
  // Wrong content says more than a broken connection: one time is enough to be asked after all others.
  const weight = outcome.reason === 'hash_mismatch' ? 0.7 : WEIGHT;
  const score = {
    reliability: moved(before === undefined ? 1 : reliabilityAt(before, now.getTime()), outcome.ok ? 1 : 0, weight),
    at: now.toISOString(),
    ...optional('latencyMs', moved(before?.latencyMs, outcome.latencyMs, WEIGHT)),
    ...optional('bytesPerSecond', moved(before?.bytesPerSecond, rate, WEIGHT)),
  };
  const all = Object.entries({ ...nodes, [key]: { ...score, reliability: score.reliability ?? 1 } });
  const kept = all.sort(([, a], [, b]) => (a.at < b.at ? 1 : -1)).slice(0, MAX_SCORES);
  return { nodes: Object.fromEntries(kept) };
}

/** How long an outcome is worth telling. */
const TOLD_FOR_MS = 7 * 24 * 3_600_000;

/** What the others are told: how reliable those were that this machine asked last. */
export function hintsFrom({ nodes }: Scores, nowMs: number): ReliabilityHint[] {
  return Object.entries(nodes)
    .filter(([key, { at }]) => KEY.test(key) && nowMs - Date.parse(at) < TOLD_FOR_MS)
    .sort(([, a], [, b]) => (a.at < b.at ? 1 : -1))
    .slice(0, MAX_HINTS)
    .map(([key, score]) => ({ node: hintKey(key), reliability: reliabilityAt(score, nowMs) }));
}

const KEY = /^[0-9a-f]{64}$/;

function moved(before: number | undefined, now: number | undefined, weight: number): number | undefined {
  if (before === undefined || now === undefined) return now ?? before;
  return before + (now - before) * weight;
}

function optional(name: 'latencyMs' | 'bytesPerSecond', value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}
