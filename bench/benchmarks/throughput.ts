import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../test/support/command.ts';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab } from '../../test/support/lab.ts';
import { importModel } from '../../test/support/scene.ts';
import { type Benchmark, ratioRow } from '../support/benchmark.ts';
import { ENGINES, type Engine, measureTransfer, openWayScene } from '../support/commands.ts';

const FULL_MEGABYTES = 500;
const QUICK_MEGABYTES = 50;
const REPEATS: Readonly<Record<Engine, number>> = { native: 5, werift: 3 };
const LEAST_RATIO = 0.9;
const RAW = fileURLToPath(new URL('../raw-webrtc.ts', import.meta.url));

/** Megabytes (10^6 bytes) a second of each repeat. */
interface Speeds {
  readonly raw: number[];
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
      const speeds: Speeds = { raw: [], pull: [], push: [] };
      // Each repeat measures all three, one after the other, so that a machine that slows down slows all of them.
      for (let repeat = 1; repeat <= (quick ? 1 : REPEATS[engine]); repeat += 1) {
        say(`${engine}, ${megabytes} MB, repeat ${repeat}`);
        speeds.raw.push(await rawSpeed(engine, megabytes));
        await transferSpeeds(engine, megabytes * 1e6, speeds);
      }
      const { raw: baselineSamples, pull, push } = speeds;
      const common = { unit: 'MB/s', baselineSamples, atLeast: LEAST_RATIO };
      rows.push(ratioRow({ what: `pull ${megabytes} MB, ${engine}`, samples: pull, ...common }));
      rows.push(ratioRow({ what: `push ${megabytes} MB, ${engine}`, samples: push, ...common }));
    }
    return rows;
  },
};

async function rawSpeed(engine: Engine, megabytes: number): Promise<number> {
  const command = [process.execPath, '--import', 'tsx', RAW, engine, String(megabytes)] as const;
  const result = await runCommand(command, { env: process.env });
  if (result.exitCode !== 0) throw new Error(`${RAW} ended with ${result.exitCode}: ${result.stderr}`);
  return result.json<{ mbPerSecond: number }>().mbPerSecond;
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
