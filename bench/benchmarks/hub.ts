import { link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@model-rtc/protocol';
import type { HubContent } from '../../test/support/hub/contents.ts';
import { LocalHub } from '../../test/support/hub/hub-server.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { startNginx } from '../../test/support/nginx.ts';
import { program } from '../../test/support/requirements.ts';
import { startSignaling, startWorker, type TransferJson } from '../../test/support/scene.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, boundRow, type Row, ratioRow, rowsOrFailure } from '../support/benchmark.ts';
import { killOn } from '../support/commands.ts';
import { besideShards, shardNames, writeShard } from '../support/float-shards.ts';
import { curl, fetchAndHash } from '../support/http-tools.ts';
import { limitLink } from '../support/limited-link.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';
import { plainSha256 } from '../support/plain-sha256.ts';

const FULL_BYTES = 2_000_000_000;
const QUICK_BYTES = 100_000_000;
const SHARED_FULL_BYTES = 500_000_000;
const REPEATS = 3;
const LEAST_RATIO_TO_CURL = 0.7;
const MOST_MEMORY_MEGABYTES = 250;
const FILES = 4;
/** Of these the worker lacks one. */
const SHARED_FILES = 10;
const HUB_MEGABYTES = 10;
/** Of what the worker lacks: a hub that is not needed elsewhere gives some of the rest as well. */
const MOST_OVERHEAD = 1.1;
/** A bound for a command that hangs, far above what the slowest takes. */
const LONGEST_MS = 10 * 60_000;
const REPOSITORY = 'bench/model';
/** The model is of no family that people know. */
const ACCEPT = ['--accept-license', '--arch-any'];

type Say = (text: string) => void;

export const hub: Benchmark = {
  name: 'hub',
  title: 'Models from a hub on this machine, beside curl with sha256sum, and from a worker as well',
  async run({ quick }, say) {
    const nginx = program('nginx', 'nginx');
    if (!nginx.met) throw new Error(nginx.advice);
    return [
      ...(await rowsOrFailure('import-model from a hub', () => measureImports(quick, say))),
      ...(await rowsOrFailure('a worker that has 90 %', () => measureWorker(quick, say))),
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
    const args = ['client', 'import-model', `hf:${REPOSITORY}`, ...ACCEPT, '--yes', '--json'];
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

/** The worker has an earlier commit, in which one file of ten was another one; the hub is as far away as hubs are. */
async function measureWorker(quick: boolean, say: Say): Promise<Row[]> {
  await using lab = createLab();
  const { hub: server, add } = await openHub(lab);
  const bytes = quick ? QUICK_BYTES : SHARED_FULL_BYTES;
  const names = shardNames(SHARED_FILES);
  const before = await addShards(lab, add, names, bytes);
  const [changed = '', ...same] = names;
  const repository = server.addModel(REPOSITORY, { files: before, card: { license: 'mit' } });
  const worker = await lab.machine('worker', { env: server.env });
  await worker.succeed(['client', 'import-model', `hf:${REPOSITORY}`, ...ACCEPT, '--yes']);
  const other = await addShards(lab, add, [changed], bytes / SHARED_FILES);
  repository.push({ ...before, [changed]: other[changed] as HubContent });
  const { port, pathname } = new URL(server.storageUrl);
  server.storageUrl = `http://127.0.0.1:${await limitLink(lab, Number(port), HUB_MEGABYTES * 1e6)}${pathname}`;
  const { session } = await startWorker(worker, (await startSignaling(lab)).url);
  say('a hub and a worker');
  const client = await lab.machine('client', { env: server.env });
  const args = ['client', 'pull-model', `hf:${REPOSITORY}`, ...ACCEPT, '--worker', session, '--json'];
  const running = killOn(AbortSignal.timeout(LONGEST_MS), client.start(args));
  const { exitCode, stderr, ...ended } = await running.exited;
  if (exitCode !== 0) throw new Error(`pull-model ended with ${exitCode}: ${lastLine(stderr)}`);
  const { transfer } = ended.json<{ readonly transfer: Pick<TransferJson, 'workers'> }>();
  const fromHub =
    transfer.workers.filter(({ name }) => name !== 'worker').reduce((sum, one) => sum + one.bytes, 0) / 1e6;
  const lacking = bytes / SHARED_FILES / 1e6;
  const from = `from a worker that has ${same.length} of ${names.length} files and a hub of ${HUB_MEGABYTES} MB/s`;
  const what = `pull-model ${bytes / 1e6} MB ${from}: bytes from the hub, beside what the worker lacks`;
  const required = { of: 'ratio', atMost: MOST_OVERHEAD } as const;
  const ratio = fromHub / lacking;
  return [{ what, unit: 'MB', value: fromHub, samples: [fromHub], baseline: lacking, ratio, required }];
}
