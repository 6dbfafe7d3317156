import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { peakMemoryBytes } from '../../test/support/process-memory.ts';
import { importModel, openScene, type Scene } from '../../test/support/scene.ts';
import { type Baseline, createBaseline, rawSpeed } from '../support/baseline.ts';
import { type Benchmark, besideRow, boundRow, type Row, ratioRow } from '../support/benchmark.ts';
import { checkedTransfer, startTransfer } from '../support/commands.ts';
import { type Copy, startSshd, whyNoRsync, whyNoScp } from '../support/own-sshd.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';

const FULL_MEGABYTES = 2_000;
const QUICK_MEGABYTES = 100;
const REPEATS = 5;
const LEAST_RATIO_TO_TLS = 0.5;
const LEAST_RATIO_TO_SCP = 2;
const MOST_MEMORY_MEGABYTES = 250;
const RAW = fileURLToPath(new URL('../raw-tls.ts', import.meta.url));
const VERIFIED = fileURLToPath(new URL('../raw-verified.ts', import.meta.url));

/** Of each repeat: megabytes (10^6 bytes) a second, and megabytes of memory. */
interface Samples {
  readonly tls: Baseline;
  /** From the manifest to the installed model. */
  readonly pull: number[];
  /** The whole command, as scp is a whole command. */
  readonly pullCommand: number[];
  readonly scpCommand: Baseline;
  readonly rsyncCommand: Baseline;
  /** The same file over one TLS connection, hashed and written with nothing of ours around it. */
  readonly verified: Baseline;
  /** What this disk takes: a pull ends when its files are on it, and scp does not wait for that. */
  readonly disk: Baseline;
  readonly clientMemory: number[];
  readonly workerMemory: number[];
}

export const direct: Benchmark = {
  name: 'direct',
  title: 'Pull of a random file over direct lanes, beside one TLS stream of Node between two processes, and beside scp',
  async run({ quick }, say) {
    const megabytes = quick ? QUICK_MEGABYTES : FULL_MEGABYTES;
    const samples: Samples = {
      tls: createBaseline(say),
      pull: [],
      pullCommand: [],
      scpCommand: createBaseline(say),
      rsyncCommand: createBaseline(say),
      verified: createBaseline(say),
      disk: createBaseline(say),
      clientMemory: [],
      workerMemory: [],
    };
    const [noScp, noRsync] = [await whyNoScp(), await whyNoRsync()];
    for (const reason of [noScp, noRsync]) if (reason !== undefined) say(reason);
    await using lab = createLab();
    const sshd = noScp === undefined ? await startSshd(lab) : undefined;
    const scene = await openScene(lab);
    const path = join(await lab.folder(), 'model.bin');
    await makeRandomFile(path, megabytes * 1e6);
    await importModel(scene.worker, path, 'model');
    // Each repeat measures all, one after the other, so that a machine that slows down slows all of them.
    for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
      say(`${megabytes} MB, repeat ${repeat}`);
      await samples.tls.measure((signal) => rawSpeed(nodeCommand(RAW, String(megabytes)), signal));
      await measurePull(scene, repeat, samples);
      await samples.verified.measure((signal) => verifiedSpeed(lab, path, signal));
      await samples.disk.measure((signal) => diskSpeed(lab, megabytes, signal));
      if (sshd === undefined) continue;
      await samples.scpCommand.measure((signal) => copySpeed(lab, sshd.scp, path, megabytes, signal));
      if (noRsync !== undefined) continue;
      await samples.rsyncCommand.measure((signal) => copySpeed(lab, sshd.rsync, path, megabytes, signal));
    }
    samples.workerMemory.push((await peakMemoryBytes(scene.workerProcess.pid)) / 1e6);
    return rowsOf(samples, megabytes);
  },
};

function rowsOf(samples: Samples, megabytes: number): Row[] {
  const { tls, pull, pullCommand, scpCommand, rsyncCommand, verified, disk, clientMemory, workerMemory } = samples;
  const memory = { unit: 'MB', atMost: MOST_MEMORY_MEGABYTES };
  return [
    ratioRow({
      what: `pull ${megabytes} MB, direct`,
      unit: 'MB/s',
      samples: pull,
      beside: tls,
      atLeast: LEAST_RATIO_TO_TLS,
    }),
    besideRow({
      what: 'the same, beside a bare TLS stream whose bytes are hashed as often, written and flushed',
      unit: 'MB/s',
      samples: pull,
      beside: verified,
    }),
    besideRow({
      what: 'the same, beside writing and flushing as much with nothing else to do',
      unit: 'MB/s',
      samples: pull,
      beside: disk,
    }),
    ...(wasLeftOut(scpCommand)
      ? []
      : [
          ratioRow({
            what: 'the same as a whole command, beside scp',
            unit: 'MB/s',
            samples: pullCommand,
            beside: scpCommand,
            atLeast: LEAST_RATIO_TO_SCP,
          }),
        ]),
    ...(wasLeftOut(rsyncCommand)
      ? []
      : [
          besideRow({
            what: 'the same as a whole command, beside rsync over ssh',
            unit: 'MB/s',
            samples: pullCommand,
            beside: rsyncCommand,
          }),
        ]),
    boundRow({ what: 'peak memory of the client', samples: clientMemory, ...memory }),
    boundRow({ what: 'peak memory of the worker', samples: workerMemory, ...memory }),
  ];
}

/** Whether its program is not on this machine. */
function wasLeftOut({ samples, failed }: Baseline): boolean {
  return samples.length === 0 && failed === undefined;
}

function nodeCommand(script: string, ...args: string[]): [string, ...string[]] {
  return [process.execPath, '--import', 'tsx', script, ...args];
}

async function verifiedSpeed(lab: Lab, path: string, signal: AbortSignal): Promise<number> {
  const folder = await lab.folder();
  const speed = await rawSpeed(nodeCommand(VERIFIED, path, join(folder, 'copy.bin')), signal);
  await rm(folder, { recursive: true });
  return speed;
}

/** A new client each time, which has nothing of the model. */
async function measurePull(scene: Scene, repeat: number, samples: Samples): Promise<void> {
  const client = await scene.client(`client-${repeat}`);
  const running = startTransfer(client, 'pull-model', 'model', 'direct');
  const peak = await peakUntilEnd(running);
  const result = await running.exited;
  const transfer = checkedTransfer(result, 'direct');
  samples.pull.push(transfer.bytesPerSecond / 1e6);
  samples.pullCommand.push(transfer.entry.size / 1e3 / result.durationMs);
  samples.clientMemory.push(peak / 1e6);
  await rm(client.home, { recursive: true });
}

async function copySpeed(
  lab: Lab,
  copyOver: Copy,
  path: string,
  megabytes: number,
  signal: AbortSignal,
): Promise<number> {
  const folder = await lab.folder();
  const { durationMs } = await copyOver(path, join(folder, 'copy.bin'), signal);
  await rm(folder, { recursive: true });
  return (megabytes * 1e3) / durationMs;
}

async function diskSpeed(lab: Lab, megabytes: number, signal: AbortSignal): Promise<number> {
  const folder = await lab.folder();
  const file = await open(join(folder, 'written.bin'), 'w');
  const block = randomBytes(1e6);
  const startedMs = performance.now();
  for (let written = 0; written < megabytes && !signal.aborted; written += 1) await file.write(block);
  await file.sync();
  const elapsedMs = performance.now() - startedMs;
  await file.close();
  await rm(folder, { recursive: true });
  return (megabytes * 1e3) / elapsedMs;
}
