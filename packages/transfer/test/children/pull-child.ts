/**
 * Pulls a model from a source in memory, in a process that can be killed. Says `asked N` before it sends chunk N, and
 * `done` with the outcome at the end.
 */
import { openPull } from '@model-rtc/transfer';
import { type ChildJob, childContents, childModel } from '../support/child-job.ts';
import { rangeSource } from '../support/contents.ts';
import { memorySource } from '../support/sources.ts';

const job = JSON.parse(process.argv[2] as string) as ChildJob;
const model = childModel(job);

const forEver = new Promise<never>(() => {});
let served = 0;
/** Says what is asked for, and waits to be killed once it gave enough. */
async function give<T>(index: number, bytes: T): Promise<T> {
  process.stdout.write(`asked ${index}\n`);
  return served++ >= (job.serveOnly ?? Number.POSITIVE_INFINITY) ? await forEver : bytes;
}

const source = job.isHub
  ? rangeSource(model.files, { alter: ({ index }, bytes) => give(index, bytes) })
  : memorySource(model, { pieceBytes: 16_000, alter: ({ index }, pieces) => give(index, pieces) });

const pulling = await openPull({
  contents: childContents(job),
  sources: [source],
  staging: job.staging,
  local: { locateChunks: async () => new Map(), readLocatedChunk: async () => undefined },
});
process.stdout.write(`done ${JSON.stringify(await pulling.fetch())}\n`);
await pulling[Symbol.asyncDispose]();
