import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Digest,
  type Manifest,
  type ModelPath,
  manifestDigest,
  modelEntrySchema,
  sha256Digest,
} from '@model-rtc/protocol';
import { openRegistry, type Registry } from '@model-rtc/registry';
import { startCommand } from '../../test/support/command.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { openScene } from '../../test/support/scene.ts';
import { firstLine, withLimit } from '../support/baseline.ts';
import { type Benchmark, besideRow, boundRow, median, type Row, rowsOrFailure } from '../support/benchmark.ts';
import { killOn } from '../support/commands.ts';
import { manyAlias, writeManyModels } from '../support/many-models.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';
import { timed } from '../support/plain-sha256.ts';

const FULL_COUNTS = [10, 1000, 10_000];
const QUICK_COUNTS = [10, 100];
const FULL_REPEATS = 5;
/** The bounds, of the largest registry. */
const MOST_LIST_MS = 1000;
const MOST_MEGABYTES = 250;
const MOST_OPEN_MS = 1000;
const MOST_INDEX_MEGABYTES = 100;
/** A bound for what hangs, far above what the slowest takes. */
const STEP_LIMIT_MS = 5 * 60_000;
const CHUNKED_MODELS = 1000;
const CHUNKS_PER_MODEL = 1000;

export const registry: Benchmark = {
  name: 'registry',
  title:
    'Registries of 10, 1,000 and 10,000 models. "baseline" is the same with 10 models, so that the ratio says how it grows; commands are timed whole, with starting Node',
  async run({ quick }, say) {
    const counts = quick ? QUICK_COUNTS : FULL_COUNTS;
    const repeats = quick ? 1 : FULL_REPEATS;
    const bySize: (readonly Measured[])[] = [];
    for (const count of counts) {
      await using lab = createLab();
      say(`${count} models`);
      bySize.push(await measureSize(lab, count, repeats));
    }
    say('the chunk index');
    return [...rowsOf(counts, bySize), ...(await rowsOrFailure('the chunk index', () => measureChunkIndex(quick)))];
  },
};

/** One thing that is done with a registry. */
interface Thing {
  readonly what: string;
  readonly unit: string;
  /** A bound for the largest registry. */
  readonly atMost?: number;
}

/** What it took with a registry of one size, or why there is no figure. */
interface Measured extends Thing {
  readonly samples: readonly number[];
  readonly failed?: string;
}

/** For each thing done, a row a size, the smallest first. */
function rowsOf(counts: readonly number[], bySize: readonly (readonly Measured[])[]): Row[] {
  const [smallest = []] = bySize;
  return smallest.flatMap((base, i) =>
    bySize.map((measured, size): Row => {
      const { samples, unit, atMost, failed, ...thing } = measured[i] as Measured;
      const row = { what: `${thing.what}, ${counts[size]?.toLocaleString('en')} models`, unit, samples };
      if (failed !== undefined) return { ...row, failed };
      const isBounded = atMost !== undefined && size === bySize.length - 1;
      const required = isBounded ? { required: { of: 'value', atMost } as const } : {};
      if (size === 0) return { ...row, ...required, value: median(samples) };
      const baseline = base.failed === undefined ? undefined : `the baseline failed: ${base.failed}`;
      return besideRow({ ...row, ...required, beside: { samples: base.samples, failed: baseline } });
    }),
  );
}

/** Measures things that are measured together; when that fails or hangs, they have no figures, and the rest goes on. */
async function attempt(
  things: readonly Thing[],
  work: (signal: AbortSignal) => Promise<readonly (readonly number[])[]>,
): Promise<Measured[]> {
  try {
    const taken = await withLimit(work, STEP_LIMIT_MS);
    return things.map((thing, i) => ({ ...thing, samples: taken[i] ?? [] }));
  } catch (error) {
    return things.map((thing) => ({ ...thing, samples: [], failed: firstLine(error) }));
  }
}

async function measureSize(lab: Lab, count: number, repeats: number): Promise<Measured[]> {
  const home = await lab.folder();
  await writeManyModels({ home, count });
  const machine = await lab.machine('laptop', { home });
  const list = { args: ['client', 'list-models'], lines: count };
  const info = { args: ['client', 'model-info', manyAlias(count - 1)], lines: 1 };
  return [
    ...(await attempt(LIST, (signal) => timedCommand(machine, list, repeats, signal))),
    ...(await attempt(INFO, (signal) => timedCommand(machine, info, repeats, signal))),
    ...(await attempt(IMPORT, (signal) => timedImports(lab, machine, repeats, signal))),
    ...(await attempt(INSIDE, () => measureInside(home, count, repeats))),
    ...(await attempt(REMOTE, (signal) => measureRemote(lab, home, count, repeats, signal))),
  ];
}

const LIST: readonly Thing[] = [
  { what: 'list-models', unit: 'ms', atMost: MOST_LIST_MS },
  { what: 'list-models, memory', unit: 'MB', atMost: MOST_MEGABYTES },
];
const INFO: readonly Thing[] = [
  { what: 'model-info of an alias', unit: 'ms' },
  { what: 'model-info, memory', unit: 'MB' },
];
const IMPORT: readonly Thing[] = [
  { what: 'import-model of one file', unit: 'ms' },
  { what: 'import-model, memory', unit: 'MB' },
];
const INSIDE: readonly Thing[] = [
  { what: 'resolve a digest prefix, registry open', unit: 'ms' },
  { what: 'register a staged model, registry open', unit: 'ms' },
];
const REMOTE: readonly Thing[] = [
  { what: "a worker's list-models", unit: 'ms' },
  { what: "a worker's list-models, memory of the client", unit: 'MB', atMost: MOST_MEGABYTES },
];

/** Milliseconds and megabytes of each repeat. */
type Timed = readonly [ms: number[], megabytes: number[]];

/** @param command `lines` is how many it has to print at least */
async function timedCommand(
  machine: Machine,
  { args, lines }: { readonly args: readonly string[]; readonly lines: number },
  repeats: number,
  signal: AbortSignal,
): Promise<Timed> {
  const [ms, megabytes]: Timed = [[], []];
  // Whoever watches the memory takes time from what is watched, so each is measured on its own.
  for (let run = 0; run < 2 * repeats; run++) {
    const running = killOn(signal, machine.start(args));
    const peak = run < repeats ? undefined : await peakUntilEnd(running);
    const { exitCode, durationMs, stdout, stderr } = await running.exited;
    if (exitCode !== 0 || stdout.split('\n').length < lines)
      throw new Error(`${args.join(' ')}: ${exitCode} ${stderr}`);
    if (peak === undefined) ms.push(durationMs);
    else megabytes.push(peak / 1e6);
  }
  return [ms, megabytes];
}

async function timedImports(lab: Lab, machine: Machine, repeats: number, signal: AbortSignal): Promise<Timed> {
  const folder = await lab.folder();
  const [ms, megabytes]: Timed = [[], []];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const path = join(folder, `weights-${repeat}.pt`);
    await writeFile(path, `weights ${repeat}`);
    const running = killOn(signal, machine.start(['client', 'import-model', path, '--yes']));
    const peak = await peakUntilEnd(running);
    const { exitCode, durationMs, stderr } = await running.exited;
    if (exitCode !== 0) throw new Error(`import-model: ${exitCode} ${stderr}`);
    ms.push(durationMs);
    megabytes.push(peak / 1e6);
  }
  return [ms, megabytes];
}

/** The same without starting a process: what a worker that runs for weeks does. */
async function measureInside(home: string, count: number, repeats: number): Promise<number[][]> {
  await using opened = await openRegistry({ home });
  const resolve: number[] = [];
  const register: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { digest = '' } = (await opened.resolve(manyAlias(count - 1))).entry;
    resolve.push(await timed(() => opened.resolve(digest.slice(0, 12))));
    register.push(await registerOne(opened, repeat));
  }
  return [resolve, register];
}

async function registerOne(opened: Registry, repeat: number): Promise<number> {
  const content = `registered ${repeat}`;
  const sha256 = sha256Digest(Buffer.from(content));
  const chunk = { digest: sha256, size: content.length };
  const files: Manifest['files'] = [{ path: 'w.pt' as ModelPath, size: content.length, sha256 }];
  const manifest: Manifest = { version: 1, chunker: 'bench', files, chunks: [chunk] };
  const digest: Digest = manifestDigest(manifest);
  const facts = { id: digest.slice(0, 8), digest, modelType: 'file', source: 'local-import', status: 'completed' };
  const entry = modelEntrySchema.parse({ ...facts, size: content.length, fileCount: 1 });
  const filesFolder = join(opened.paths.staging, `bench-${repeat}`);
  await mkdir(filesFolder);
  await writeFile(join(filesFolder, 'w.pt'), content);
  return await timed(() => opened.install({ filesFolder, manifest, entry, source: 'local-import', ifExists: 'skip' }));
}

/** A worker's models over a connection, page by page. */
async function measureRemote(
  lab: Lab,
  workerHome: string,
  count: number,
  repeats: number,
  signal: AbortSignal,
): Promise<Timed> {
  const scene = await openScene(lab, { workerHome });
  const client = await scene.client('client');
  return await timedCommand(client, { args: ['worker', 'list-models'], lines: count }, repeats, signal);
}

const PROBE = fileURLToPath(new URL('../support/chunk-index-probe.ts', import.meta.url));

async function measureChunkIndex(quick: boolean): Promise<Row[]> {
  await using lab = createLab();
  const home = await lab.folder();
  const count = quick ? 10 : CHUNKED_MODELS;
  await writeManyModels({ home, count, chunksPerModel: CHUNKS_PER_MODEL });
  // The first look makes the index from the manifests.
  const making = await probe(home);
  const samples = [await probe(home), ...(quick ? [] : [await probe(home), await probe(home)])];
  const what = `the chunk index of ${(count * CHUNKS_PER_MODEL).toLocaleString('en')} chunks`;
  return [
    { what: `${what}: made anew`, unit: 'ms', value: making.openMs, samples: [making.openMs] },
    boundRow({
      what: `${what}: opened`,
      unit: 'ms',
      samples: samples.map(({ openMs }) => openMs),
      atMost: MOST_OPEN_MS,
    }),
    boundRow({
      what: `${what}: memory once ${CHUNKS_PER_MODEL} chunks were found`,
      unit: 'MB',
      samples: samples.map(({ memoryBytes }) => memoryBytes / 1e6),
      atMost: MOST_INDEX_MEGABYTES,
    }),
  ];
}

async function probe(home: string): Promise<{ readonly openMs: number; readonly memoryBytes: number }> {
  const env = { PATH: process.env.PATH };
  const command = [process.execPath, '--import', 'tsx', '--no-warnings', PROBE, home] as const;
  const result = await killOn(AbortSignal.timeout(STEP_LIMIT_MS), startCommand([...command], { env })).exited;
  if (result.exitCode !== 0) throw new Error(`The probe of the chunk index failed: ${result.stderr}`);
  const { found, ...measured } = result.json<{ openMs: number; memoryBytes: number; found: number }>();
  if (found !== CHUNKS_PER_MODEL) throw new Error(`Only ${found} of ${CHUNKS_PER_MODEL} chunks were found`);
  return measured;
}
