import { createRandom, mutate } from './mutate.ts';

/** A reader of what comes from outside. */
export interface FuzzTarget {
  readonly name: string;
  /** Good inputs, and others that are worth beginning with. */
  samples(): Promise<readonly Uint8Array[]>;
  /** Reads one input. What it throws is a fault: errors that the reader may answer with are caught in here. */
  read(bytes: Uint8Array): Promise<void> | void;
}

export interface Fault {
  readonly target: string;
  readonly seed: number;
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly slowestMs: number;
  readonly faults: readonly Fault[];
}

/** An input of a few kilobytes that is read for so long hangs whoever reads it. */
const HANG_MS = 10_000;
const MOST_FAULTS = 5;

/**
 * Reads changed samples until the time or the number of inputs is used up, or some faults were found. Every input has a seed
 * of its own, counted up from the first, so that one fault is repeated by `--seed` and `--inputs 1`.
 */
export async function fuzz(
  target: FuzzTarget,
  options: { readonly seed: number; readonly inputs?: number | undefined; readonly untilMs?: number | undefined },
): Promise<FuzzReport> {
  const { seed, inputs: most = Number.POSITIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = options;
  const samples = await target.samples();
  const faults: Fault[] = [];
  let slowestMs = 0;
  let inputs = 0;
  for (; inputs < most && performance.now() < untilMs && faults.length < MOST_FAULTS; inputs++) {
    const input = mutate(samples, createRandom(seed + inputs));
    const startedMs = performance.now();
    let error: unknown;
    try {
      await target.read(input);
    } catch (thrown) {
      error = thrown;
    }
    const tookMs = performance.now() - startedMs;
    slowestMs = Math.max(slowestMs, tookMs);
    if (tookMs > HANG_MS) error ??= new Error(`It took ${Math.round(tookMs / 1000)} s to read ${input.length} bytes`);
    if (error !== undefined) faults.push({ target: target.name, seed: seed + inputs, input, error });
  }
  return { target: target.name, inputs, slowestMs, faults };
}
