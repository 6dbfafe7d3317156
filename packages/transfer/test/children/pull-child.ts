/**
 * Pulls a model from a source in memory, in a process that can be killed. Says `asked N` before it sends chunk N, and
 * `done` with the outcome at the end.
 */
import { type PullOutcome, pull } from '@model-rtc/transfer';
import { type ChildJob, childModel } from '../support/child-job.ts';
import { contentsOf } from '../support/models.ts';
import { memorySource } from '../support/sources.ts';

const job = JSON.parse(process.argv[2] as string) as ChildJob;
const model = childModel(job);

const forEver = new Promise<never>(() => {});
let served = 0;
const source = memorySource(model, {
  pieceBytes: 16_000,
  alter: async ({ index }, pieces) => {
    process.stdout.write(`asked ${index}\n`);
    if (served++ >= (job.serveOnly ?? Number.POSITIVE_INFINITY)) await forEver;
    return pieces;
  },
});

const outcome: PullOutcome = await pull({
  contents: contentsOf(model),
  sources: [source],
  staging: job.staging,
  local: { locateChunks: async () => new Map(), readLocatedChunk: async () => undefined },
});
process.stdout.write(`done ${JSON.stringify({ ...outcome, release: undefined })}\n`);
await outcome.release();
