import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab } from '../../test/support/lab.ts';
import { peakMemoryBytes } from '../../test/support/process-memory.ts';
import { importModel, openScene, type Scene } from '../../test/support/scene.ts';
import { type Baseline, createBaseline, rawSpeed } from '../support/baseline.ts';
import { type Benchmark, boundRow, median, type Row, ratioRow } from '../support/benchmark.ts';
import { checkedTransfer, startTransfer } from '../support/commands.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';

const FULL_MEGABYTES = 500;
const QUICK_MEGABYTES = 50;
const REPEATS = 5;
/** One of the two is enough. */
const LEAST_RATIO = 0.5;
const ENOUGH_MEGABYTES_PER_SECOND = 100;
const MOST_MEMORY_MEGABYTES = 250;
const RAW = fileURLToPath(new URL('../raw-relay.ts', import.meta.url));

/** Of each repeat: megabytes (10^6 bytes) a second, and megabytes of memory. */
interface Samples {
  readonly hops: Baseline;
  readonly pull: number[];
  readonly clientMemory: number[];
  readonly workerMemory: number[];
}

export const relay: Benchmark = {
  name: 'relay',
  title: 'Pull of a random file over the relay lane, beside plain frames through the same signaling server',
  async run({ quick }, say) {
    const megabytes = quick ? QUICK_MEGABYTES : FULL_MEGABYTES;
    const samples: Samples = { hops: createBaseline(say), pull: [], clientMemory: [], workerMemory: [] };
    await using lab = createLab();
    const scene = await openScene(lab);
    const path = join(await lab.folder(), 'model.bin');
    await makeRandomFile(path, megabytes * 1e6);
    await importModel(scene.worker, path, 'model');
    // Each repeat measures both, one after the other, so that a machine that slows down slows both.
    for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
      say(`${megabytes} MB, repeat ${repeat}`);
      await samples.hops.measure((signal) => hopsSpeed(scene.signalingUrl, megabytes, signal));
      await measurePull(scene, repeat, samples);
    }
    samples.workerMemory.push((await peakMemoryBytes(scene.workerProcess.pid)) / 1e6);
    return rowsOf(samples, megabytes);
  },
};

function rowsOf({ hops, pull, clientMemory, workerMemory }: Samples, megabytes: number): Row[] {
  const row = ratioRow({
    what: `pull ${megabytes} MB, relay`,
    unit: 'MB/s',
    samples: pull,
    beside: hops,
    atLeast: LEAST_RATIO,
  });
  const isEnough = median(pull) >= ENOUGH_MEGABYTES_PER_SECOND;
  const memory = { unit: 'MB', atMost: MOST_MEMORY_MEGABYTES };
  return [
    isEnough ? { ...row, required: { of: 'value', atLeast: ENOUGH_MEGABYTES_PER_SECOND } } : row,
    boundRow({ what: 'peak memory of the client', samples: clientMemory, ...memory }),
    boundRow({ what: 'peak memory of the worker', samples: workerMemory, ...memory }),
  ];
}

async function hopsSpeed(serverUrl: string, megabytes: number, signal: AbortSignal): Promise<number> {
  const command = [process.execPath, '--import', 'tsx', RAW, serverUrl, String(megabytes)] as const;
  return await rawSpeed(command, signal);
}

/** A new client each time, which has nothing of the model. */
async function measurePull(scene: Scene, repeat: number, samples: Samples): Promise<void> {
  const client = await scene.client(`client-${repeat}`);
  const running = startTransfer(client, 'pull-model', 'model', 'relay');
  const peak = await peakUntilEnd(running);
  const transfer = checkedTransfer(await running.exited, 'relay');
  samples.pull.push(transfer.bytesPerSecond / 1e6);
  samples.clientMemory.push(peak / 1e6);
  await rm(client.home, { recursive: true });
}
