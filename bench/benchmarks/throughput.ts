import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab } from '../../test/support/lab.ts';
import { importModel } from '../../test/support/scene.ts';
import { type Baseline, createBaseline, rawSpeed } from '../support/baseline.ts';
import { type Benchmark, type Row, ratioRow, rowsOrFailure } from '../support/benchmark.ts';
import { ENGINES, type Engine, measureTransfer, openWayScene } from '../support/commands.ts';

const FULL_MEGABYTES = 500;
const QUICK_MEGABYTES = 50;
const REPEATS: Readonly<Record<Engine, number>> = { native: 5, werift: 3 };
const LEAST_RATIO = 0.9;
const RAW = fileURLToPath(new URL('../raw-webrtc.ts', import.meta.url));

/** Megabytes (10^6 bytes) a second of each repeat. */
interface Speeds {
  readonly raw: Baseline;
  readonly pull: number[];
  readonly push: number[];
}

export const throughput: Benchmark = {
  name: 'throughput',
  title: 'Push and pull of a random file, beside one PeerConnection of the same engine with 64 KiB messages',
  async run({ quick }, say) {
    const megabytes = quick ? QUICK_MEGABYTES : FULL_MEGABYTES;
    const rows = [];
    for (const engine of ENGINES) {
      rows.push(...(await rowsOrFailure(engine, () => measureEngine(engine, megabytes, quick, say))));
    }
    return rows;
  },
};

async function measureEngine(
  engine: Engine,
  megabytes: number,
  quick: boolean,
  say: (text: string) => void,
): Promise<Row[]> {
  const speeds: Speeds = { raw: createBaseline(say), pull: [], push: [] };
  // Each repeat measures all three, one after the other, so that a machine that slows down slows all of them.
  for (let repeat = 1; repeat <= (quick ? 1 : REPEATS[engine]); repeat += 1) {
    say(`${engine}, ${megabytes} MB, repeat ${repeat}`);
    const command = [process.execPath, '--import', 'tsx', RAW, engine, String(megabytes)] as const;
    await speeds.raw.measure((signal) => rawSpeed([...command], signal));
    await transferSpeeds(engine, megabytes * 1e6, speeds);
  }
  const { raw, pull, push } = speeds;
  const common = { unit: 'MB/s', beside: raw, atLeast: LEAST_RATIO };
  return [
    ratioRow({ what: `pull ${megabytes} MB, ${engine}`, samples: pull, ...common }),
    ratioRow({ what: `push ${megabytes} MB, ${engine}`, samples: push, ...common }),
  ];
}

async function transferSpeeds(engine: Engine, bytes: number, speeds: Speeds): Promise<void> {
  await using lab = createLab();
  const scene = await openWayScene(lab, engine);
  const [puller, pusher] = [await scene.client('puller'), await scene.client('pusher')];
  for (const [machine, alias] of [
    [scene.worker, 'to-pull'],
    [pusher, 'to-push'],
  ] as const) {
    const path = join(await lab.folder(), `${alias}.bin`);
    await makeRandomFile(path, bytes);
    await importModel(machine, path, alias);
  }
  speeds.pull.push((await measureTransfer(puller, 'pull-model', 'to-pull', engine)).bytesPerSecond / 1e6);
  speeds.push.push((await measureTransfer(pusher, 'push-model', 'to-push', engine)).bytesPerSecond / 1e6);
}
