import { link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@model-rtc/protocol';
import type { HubContent } from '../../test/support/hub/contents.ts';
import { LocalHub } from '../../test/support/hub/hub-server.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { startNginx } from '../../test/support/nginx.ts';
import { program } from '../../test/support/requirements.ts';
import { createBaseline, runBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow, boundRow, type Row, ratioRow, rowsOrFailure } from '../support/benchmark.ts';
import { killOn } from '../support/commands.ts';
import { besideShards, shardNames, writeShard, writeTorchModel } from '../support/float-files.ts';
import { curl, fetchAndHash } from '../support/http-tools.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';
import { plainSha256, timed } from '../support/plain-sha256.ts';

const FULL_BYTES = 2_000_000_000;
const QUICK_BYTES = 100_000_000;
const REPEATS = 3;
const LEAST_RATIO_TO_CURL = 0.7;
const MOST_MEMORY_MEGABYTES = 250;
const FILES = 4;
/** A bound for a command that hangs, far above what the slowest takes. */
const LONGEST_MS = 10 * 60_000;
const REPOSITORY = 'bench/model';
const ALIAS = 'taken';

type Say = (text: string) => void;

export const hub: Benchmark = {
  name: 'hub',
  title: 'Models from a hub on this machine, beside curl with sha256sum; torch files to safetensors',
  async run({ quick }, say) {
    const nginx = program('nginx', 'nginx');
    if (!nginx.met) throw new Error(nginx.advice);
    return [
      ...(await rowsOrFailure('import-model from a hub', () => measureImports(quick, say))),
      ...(await rowsOrFailure('conversion', () => measureConversion(quick, say))),
    ];
  },
};

/** A hub whose large files nginx sends, as another server does for the public one. */
async function openHub(lab: Lab): Promise<{ readonly hub: LocalHub; add(path: string): Promise<HubContent> }> {
  const storage = join(await lab.folder(), 'storage');
  await mkdir(join(storage, 'lfs'), { recursive: true });
  // nginx is known to be up once it gives this.
  await writeFile(join(storage, 'models.json'), '{}');
  const { url } = await startNginx(lab, storage);
  const server = new LocalHub();
  await server.start();
  lab.onEnd(() => server.close());
  server.storageUrl = url;
  return {
    hub: server,
    async add(path) {
      const { size } = await stat(path);
      const sha256 = (await plainSha256(path)) as Digest;
      await link(path, join(storage, 'lfs', sha256));
      return { path, size, sha256 };
    },
  };
}

async function addShards(
  lab: Lab,
  add: (path: string) => Promise<HubContent>,
  names: readonly string[],
  bytes: number,
): Promise<Record<string, HubContent>> {
  const folder = await lab.folder();
  const size = shardSize(bytes, names.length);
  const files: Record<string, HubContent> = { ...besideShards(names, size) };
  for (const name of names) {
    await writeShard(folder, name, size);
    files[name] = await add(join(folder, name));
  }
  return files;
}

function sha256Of(files: Readonly<Record<string, HubContent>>, name: string): string {
  const content = files[name];
  if (content === undefined || Buffer.isBuffer(content)) throw new Error(`${name} is no large file`);
  return content.sha256;
}

/** What a command says of its end. */
function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/** Whole floats. */
function shardSize(bytes: number, count: number): number {
  return Math.floor(bytes / count / 4) * 4;
}

async function measureImports(quick: boolean, say: Say): Promise<Row[]> {
  await using lab = createLab();
  const { hub: server, add } = await openHub(lab);
  const bytes = quick ? QUICK_BYTES : FULL_BYTES;
  const names = shardNames(FILES);
  const files = await addShards(lab, add, names, bytes);
  const commit = server.addModel(REPOSITORY, { files, card: { license: 'mit' } }).commitOf('main');
  const remote = names.map((name) => ({
    url: `${server.url}/${REPOSITORY}/resolve/${commit}/${name}`,
    name,
    sha256: sha256Of(files, name),
  }));
  const beside = createBaseline(say);
  const [samples, memory]: [number[], number[]] = [[], []];
  const speed = (ms: number): number => bytes / 1e3 / ms;
  for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
    say(`${bytes / 1e6} MB in ${FILES} files, repeat ${repeat}`);
    await beside.measure(async (signal) => speed(await fetchAndHash(lab, curl, remote, signal)));
    const client = await lab.machine(`client-${repeat}`, { env: server.env });
    const args = ['client', 'import-model', `hf:${REPOSITORY}`, '--accept-license', '--arch-any', '--yes', '--json'];
    const running = killOn(AbortSignal.timeout(LONGEST_MS), client.start(args));
    const peak = await peakUntilEnd(running);
    const { exitCode, durationMs, stderr } = await running.exited;
    if (exitCode !== 0) throw new Error(`import-model ended with ${exitCode}: ${lastLine(stderr)}`);
    samples.push(speed(durationMs));
    memory.push(peak / 1e6);
    await rm(client.home, { recursive: true });
  }
  const what = `import-model from a hub, ${bytes / 1e6} MB in ${FILES} files; beside curl --parallel and sha256sum`;
  return [
    ratioRow({ what, unit: 'MB/s', samples, beside, atLeast: LEAST_RATIO_TO_CURL }),
    boundRow({ what: 'the same, peak memory', unit: 'MB', samples: memory, atMost: MOST_MEMORY_MEGABYTES }),
  ];
}

async function measureConversion(quick: boolean, say: Say): Promise<Row[]> {
  await using lab = createLab();
  const folder = join(await lab.folder(), 'torch-model');
  const bytes = await writeTorchModel(folder, quick ? QUICK_BYTES : FULL_BYTES);
  const [samples, memory]: [number[], number[]] = [[], []];
  const beside = createBaseline(say);
  for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
    say(`conversion, repeat ${repeat}`);
    await beside.measure(async (signal) => (await copyMs(lab, join(folder, 'pytorch_model.bin'), signal)) / 1000);
    const machine = await lab.machine(`convert-${repeat}`);
    const args = ['client', 'import-model', folder, '--convert', 'safetensors', '--alias', ALIAS, '--yes', '--json'];
    const running = killOn(AbortSignal.timeout(LONGEST_MS), machine.start(args));
    const peak = await peakUntilEnd(running);
    const { exitCode, durationMs, stderr } = await running.exited;
    if (exitCode !== 0) throw new Error(`import-model --convert ended with ${exitCode}: ${lastLine(stderr)}`);
    samples.push(durationMs / 1000);
    memory.push(peak / 1e6);
    await rm(machine.home, { recursive: true });
  }
  const what = `import-model --convert safetensors of a ${(bytes / 1e9).toFixed(1)} GB .bin; beside reading and writing as much`;
  return [
    besideRow({ what, unit: 's', samples, beside }),
    boundRow({ what: 'the same, peak memory', unit: 'MB', samples: memory, atMost: MOST_MEMORY_MEGABYTES }),
  ];
}

/** A copy that is on the disk when it ends, as a model is. */
async function copyMs(lab: Lab, path: string, signal: AbortSignal): Promise<number> {
  const folder = await lab.folder();
  const copy = join(folder, 'copy.bin');
  const ms = await timed(async () => {
    await runBaseline(['cp', path, copy], signal);
    await runBaseline(['sync', copy], signal);
  });
  await rm(folder, { recursive: true });
  return ms;
}
