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
import { runCommand } from '../../test/support/command.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { openScene } from '../../test/support/scene.ts';
import { type Benchmark, boundRow, median, type Row } from '../support/benchmark.ts';
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
    return [...rowsOf(counts, bySize), ...(await measureChunkIndex(quick))];
  },
};

/** One thing that is done with a registry of one size. */
interface Measured {
  readonly what: string;
  readonly unit: string;
  readonly samples: readonly number[];
  readonly atMost?: number;
}

/** For each thing done, a row a size, the smallest first. */
function rowsOf(counts: readonly number[], bySize: readonly (readonly Measured[])[]): Row[] {
  const [smallest = []] = bySize;
  return smallest.flatMap((base, i) =>
    bySize.map((measured, size): Row => {
      const { what, samples, unit, atMost } = measured[i] as Measured;
      const row = { what: `${what}, ${counts[size]?.toLocaleString('en')} models`, unit, samples };
      const isLargest = size === bySize.length - 1;
      const bounded =
        atMost !== undefined && isLargest ? boundRow({ ...row, atMost }) : { ...row, value: median(samples) };
      if (size === 0) return bounded;
      const baseline = median(base.samples);
      return { ...bounded, baseline, baselineSamples: base.samples, ratio: median(samples) / baseline };
    }),
  );
}

async function measureSize(lab: Lab, count: number, repeats: number): Promise<Measured[]> {
  const home = await lab.folder();
  await writeManyModels({ home, count });
  const machine = await lab.machine('laptop', { home });
  const list = await timedCommand(machine, ['client', 'list-models'], repeats, count);
  const info = await timedCommand(machine, ['client', 'model-info', manyAlias(count - 1)], repeats);
  const imported = await timedImports(lab, machine, repeats);
  const inside = await measureInside(home, count, repeats);
  const remote = await measureRemote(lab, home, count, repeats);
  return [
    { what: 'list-models', unit: 'ms', samples: list.ms, atMost: MOST_LIST_MS },
    { what: 'list-models, memory', unit: 'MB', samples: list.megabytes, atMost: MOST_MEGABYTES },
    { what: 'model-info of an alias', unit: 'ms', samples: info.ms },
    { what: 'model-info, memory', unit: 'MB', samples: info.megabytes },
    { what: 'import-model of one file', unit: 'ms', samples: imported.ms },
    { what: 'import-model, memory', unit: 'MB', samples: imported.megabytes },
    ...inside,
    { what: "a worker's list-models", unit: 'ms', samples: remote.ms },
    {
      what: "a worker's list-models, memory of the client",
      unit: 'MB',
      samples: remote.megabytes,
      atMost: MOST_MEGABYTES,
    },
  ];
}

interface Timed {
  readonly ms: number[];
  readonly megabytes: number[];
}

/** @param lines - models that the command has to print */
async function timedCommand(machine: Machine, args: readonly string[], repeats: number, lines = 1): Promise<Timed> {
  const taken: Timed = { ms: [], megabytes: [] };
  // Whoever watches the memory takes time from what is watched, so each is measured on its own.
  for (let run = 0; run < 2 * repeats; run++) {
    const running = machine.start(args);
    const peak = run < repeats ? undefined : await peakUntilEnd(running);
    const { exitCode, durationMs, stdout, stderr } = await running.exited;
    if (exitCode !== 0 || stdout.split('\n').length < lines)
      throw new Error(`${args.join(' ')}: ${exitCode} ${stderr}`);
    if (peak === undefined) taken.ms.push(durationMs);
    else taken.megabytes.push(peak / 1e6);
  }
  return taken;
}

async function timedImports(lab: Lab, machine: Machine, repeats: number): Promise<Timed> {
  const folder = await lab.folder();
  const taken: Timed = { ms: [], megabytes: [] };
  for (let repeat = 0; repeat < repeats; repeat++) {
    const path = join(folder, `weights-${repeat}.pt`);
    await writeFile(path, `weights ${repeat}`);
    const running = machine.start(['client', 'import-model', path, '--yes']);
    const peak = await peakUntilEnd(running);
    const { exitCode, durationMs, stderr } = await running.exited;
    if (exitCode !== 0) throw new Error(`import-model: ${exitCode} ${stderr}`);
    taken.ms.push(durationMs);
    taken.megabytes.push(peak / 1e6);
  }
  return taken;
}

/** The same without starting a process: what a worker that runs for weeks does. */
async function measureInside(home: string, count: number, repeats: number): Promise<Measured[]> {
  await using opened = await openRegistry({ home });
  const resolve: number[] = [];
  const register: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { digest = '' } = (await opened.resolve(manyAlias(count - 1))).entry;
    resolve.push(await timed(() => opened.resolve(digest.slice(0, 12))));
    register.push(await registerOne(opened, repeat));
  }
  return [
    { what: 'resolve a digest prefix, registry open', unit: 'ms', samples: resolve },
    { what: 'register a staged model, registry open', unit: 'ms', samples: register },
  ];
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
async function measureRemote(lab: Lab, workerHome: string, count: number, repeats: number): Promise<Timed> {
  const scene = await openScene(lab, { workerHome });
  const client = await scene.client('client');
  return await timedCommand(client, ['worker', 'list-models'], repeats, count);
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
  const result = await runCommand([process.execPath, '--import', 'tsx', '--no-warnings', PROBE, home], { env });
  if (result.exitCode !== 0) throw new Error(`The probe of the chunk index failed: ${result.stderr}`);
  const { found, ...measured } = result.json<{ openMs: number; memoryBytes: number; found: number }>();
  if (found !== CHUNKS_PER_MODEL) throw new Error(`Only ${found} of ${CHUNKS_PER_MODEL} chunks were found`);
  return measured;
}
