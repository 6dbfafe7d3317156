import { rm } from 'node:fs/promises';
import { createLab, type Lab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { startNginx } from '../../test/support/nginx.ts';
import { program } from '../../test/support/requirements.ts';
import { startSignaling, startWorker } from '../../test/support/scene.ts';
import { type Baseline, createBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow, boundRow, median, type Row, ratioRow } from '../support/benchmark.ts';
import { killOn } from '../support/commands.ts';
import { aria2c, curl, fetchAndHash, type HttpTool } from '../support/http-tools.ts';
import { limitLink } from '../support/limited-link.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';
import { publishVersions, remoteFiles, type StaticVersions } from '../support/static-versions.ts';

const FULL_BYTES = 2_000_000_000;
const QUICK_BYTES = 100_000_000;
const REPEATS = 5;
const LEAST_RATIO_TO_CURL = 0.8;
const MOST_MEMORY_MEGABYTES = 250;
/** Of what changed: nothing else may be fetched, but for the manifest. */
const MOST_OVERHEAD = 1.01;
const SHARED_FULL_BYTES = 500_000_000;
const SHARED_REPEATS = 3;
/** What the registry and the worker send at most, and what both together have to. */
const EACH_MEGABYTES = 20;
const LEAST_TOGETHER = 36;
/** A bound for a pull that hangs, far above what the slowest takes. */
const LONGEST_MS = 10 * 60_000;

export const staticRegistry: Benchmark = {
  name: 'static',
  title: 'Pull from a static registry behind nginx, beside curl and aria2c with sha256sum, and from a worker as well',
  async run({ quick }, say) {
    const nginx = program('nginx', 'nginx');
    if (!nginx.met) throw new Error(nginx.advice);
    return [...(await measurePulls(quick, say)), ...(await measureBoth(quick, say))];
  },
};

/** Of each repeat, as whole commands: milliseconds, and megabytes (10^6 bytes) of memory. */
interface Samples {
  readonly pull: number[];
  readonly memory: number[];
  readonly curl: Baseline;
  readonly aria2c: Baseline;
  /** The second version, where the first one is. */
  readonly second: number[];
  readonly secondBytes: number[];
  readonly curlChanged: Baseline;
}

async function measurePulls(quick: boolean, say: (text: string) => void): Promise<Row[]> {
  await using lab = createLab();
  const versions = await publishVersions(lab, await lab.machine('publisher'), quick ? QUICK_BYTES : FULL_BYTES);
  const { url } = await startNginx(lab, versions.root);
  const [whole, changed] = [remoteFiles(url, versions.chunks), remoteFiles(url, versions.changed)];
  const samples: Samples = {
    ...{ pull: [], memory: [], second: [], secondBytes: [] },
    ...{ curl: createBaseline(say), aria2c: createBaseline(say), curlChanged: createBaseline(say) },
  };
  for (const { whyNot } of [curl, aria2c]) if (whyNot !== undefined) say(whyNot);
  // Each repeat measures all, one after the other, so that a machine that slows down slows all of them.
  for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
    say(`${versions.totalBytes / 1e6} MB, repeat ${repeat}`);
    const beside = async (baseline: Baseline, tool: HttpTool, files: typeof whole): Promise<void> => {
      if (tool.whyNot === undefined) await baseline.measure((signal) => fetchAndHash(lab, tool, files, signal));
    };
    const client = await lab.machine(`client-${repeat}`, { env: { MODEL_RTC_REGISTRY_URL: url } });
    await beside(samples.curl, curl, whole);
    const first = await pullVersion(client, '1');
    samples.pull.push(first.ms);
    samples.memory.push(first.megabytes);
    await beside(samples.aria2c, aria2c, whole);
    const second = await pullVersion(client, '2');
    samples.second.push(second.ms);
    samples.secondBytes.push(second.fetchedBytes);
    await beside(samples.curlChanged, curl, changed);
    await rm(client.home, { recursive: true });
  }
  return rowsOf(samples, versions);
}

function rowsOf(samples: Samples, { totalBytes, changedBytes }: StaticVersions): Row[] {
  const speed = (ms: readonly number[]): number[] => ms.map((each) => totalBytes / 1e3 / each);
  const speeds = ({ failed, samples: ms }: Baseline) => ({ failed, samples: speed(ms) });
  const what = `models pull, ${totalBytes / 1e6} MB in chunks of 10 MB, nginx`;
  const pull = { unit: 'MB/s', samples: speed(samples.pull) };
  const fetched = samples.secondBytes.map((bytes) => bytes / 1e6);
  return [
    ...beside(samples.curl, () =>
      ratioRow({
        ...pull,
        what: `${what}; beside curl --parallel and sha256sum`,
        beside: speeds(samples.curl),
        atLeast: LEAST_RATIO_TO_CURL,
      }),
    ),
    ...beside(samples.aria2c, () =>
      besideRow({ ...pull, what: 'the same, beside aria2c and sha256sum', beside: speeds(samples.aria2c) }),
    ),
    boundRow({ what: 'peak memory of the pull', unit: 'MB', samples: samples.memory, atMost: MOST_MEMORY_MEGABYTES }),
    {
      ...{ what: 'a second version that shares 90 % of its chunks: what was fetched, beside what changed', unit: 'MB' },
      ...{ value: median(fetched), samples: fetched },
      ...{ baseline: changedBytes / 1e6, ratio: median(fetched) / (changedBytes / 1e6) },
      required: { of: 'ratio', atMost: MOST_OVERHEAD },
    },
    besideRow({
      ...{ what: 'the same: how long it took, beside the pull of the first version', unit: 's' },
      ...{ samples: samples.second.map(seconds), beside: { samples: samples.pull.map(seconds), failed: undefined } },
    }),
    ...beside(samples.curlChanged, ({ samples: ms, failed }) =>
      besideRow({
        ...{ what: 'the same, beside curl and sha256sum of what changed alone', unit: 's' },
        ...{ samples: samples.second.map(seconds), beside: { samples: ms.map(seconds), failed } },
      }),
    ),
  ];
}

/** No row where the tool is not on this machine. */
function beside(baseline: Baseline, row: (baseline: Baseline) => Row): Row[] {
  return baseline.samples.length === 0 && baseline.failed === undefined ? [] : [row(baseline)];
}

function seconds(ms: number): number {
  return ms / 1000;
}

async function pullVersion(client: Machine, version: string) {
  const running = killOn(
    AbortSignal.timeout(LONGEST_MS),
    client.start(['models', 'pull', 'bench/model', version, '--json']),
  );
  const peak = await peakUntilEnd(running);
  const { exitCode, durationMs, stderr, ...ended } = await running.exited;
  if (exitCode !== 0) throw new Error(`The pull ended with ${exitCode ?? ended.signal}: ${stderr}`);
  const { transferredBytes } = ended.json<{ readonly transferredBytes: number }>();
  return { ms: durationMs, megabytes: peak / 1e6, fetchedBytes: transferredBytes };
}

/** A registry and a worker that each send at most 20 MB/s. */
async function measureBoth(quick: boolean, say: (text: string) => void): Promise<Row[]> {
  await using lab = createLab();
  const worker = await lab.machine('worker');
  const bytes = quick ? QUICK_BYTES : SHARED_FULL_BYTES;
  const { root } = await publishVersions(lab, worker, bytes);
  const { port } = await startNginx(lab, root);
  const url = `http://127.0.0.1:${await limitLink(lab, port, EACH_MEGABYTES * 1e6)}/models`;
  await worker.succeed(['settings', 'set', 'limit.up', `${EACH_MEGABYTES}MB`]);
  const { session } = await startWorker(worker, (await startSignaling(lab)).url);
  const both: number[] = [];
  const alone = createBaseline(say);
  for (let repeat = 1; repeat <= (quick ? 1 : SHARED_REPEATS); repeat += 1) {
    say(`registry and worker, repeat ${repeat}`);
    await alone.measure((signal) => pullSpeed(lab, ['--registry', url], signal));
    both.push(await pullSpeed(lab, ['--registry', url, '--worker', session], AbortSignal.timeout(LONGEST_MS)));
  }
  const what = `pull ${bytes / 1e6} MB from a registry and a worker of ${EACH_MEGABYTES} MB/s each; beside the registry alone`;
  const required = { of: 'value', atLeast: LEAST_TOGETHER } as const;
  return [besideRow({ what, unit: 'MB/s', samples: both, beside: alone, required })];
}

/** In megabytes a second, from the manifest to the installed model. */
async function pullSpeed(lab: Lab, from: readonly string[], signal: AbortSignal): Promise<number> {
  const client = await lab.machine('client');
  const running = killOn(signal, client.start(['models', 'pull', 'bench/model', '1', ...from, '--json']));
  const { exitCode, stderr, ...ended } = await running.exited;
  if (exitCode !== 0) throw new Error(`The pull ended with ${exitCode ?? ended.signal}: ${stderr}`);
  const pulled = ended.json<{ readonly transferredBytes: number; readonly seconds: number }>();
  await rm(client.home, { recursive: true });
  return pulled.transferredBytes / 1e6 / pulled.seconds;
}
