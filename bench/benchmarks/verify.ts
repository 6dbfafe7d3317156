import { randomBytes } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { importModel } from '../../test/support/scene.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, boundRow, type Row, ratioRow, rowsOrFailure } from '../support/benchmark.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';
import { plainSha256, timed } from '../support/plain-sha256.ts';

const MEGABYTE = 1e6;
const REPEATS = 3;
const LEAST_RATIO = 0.6;
const MOST_MEGABYTES = 250;

interface Shape {
  readonly command: 'verify' | 'validate';
  readonly what: string;
  readonly files: number;
  readonly fileBytes: number;
}

const FULL: readonly Shape[] = [
  { command: 'verify', what: 'one file of 2 GB', files: 1, fileBytes: 2000 * MEGABYTE },
  { command: 'verify', what: '5,000 files of 100 kB', files: 5000, fileBytes: 0.1 * MEGABYTE },
  { command: 'validate', what: '2 GB of bf16 weights', files: 1, fileBytes: 2000 * MEGABYTE },
];
const QUICK: readonly Shape[] = [
  { command: 'verify', what: 'one file of 200 MB', files: 1, fileBytes: 200 * MEGABYTE },
  { command: 'verify', what: '200 files of 100 kB', files: 200, fileBytes: 0.1 * MEGABYTE },
  { command: 'validate', what: '200 MB of bf16 weights', files: 1, fileBytes: 200 * MEGABYTE },
];

export const verify: Benchmark = {
  name: 'verify',
  title:
    'client verify and client validate as whole commands (files and chunks hashed, numbers looked at), beside plain SHA-256 of the same files on one thread',
  async run({ quick }, say) {
    const rows: Row[] = [];
    for (const shape of quick ? QUICK : FULL)
      rows.push(...(await rowsOrFailure(shape.what, () => measure(shape, quick ? 1 : REPEATS, say))));
    return rows;
  },
};

async function measure(shape: Shape, repeats: number, say: (text: string) => void): Promise<Row[]> {
  await using lab = createLab();
  const folder = await makeModel(lab, shape);
  const machine = await lab.machine('verifier');
  // It reads all files too, so that later readings come from memory, not one of them from the disk.
  await importModel(machine, folder, 'model');
  const [samples, peaks]: [number[], number[]] = [[], []];
  const plain = createBaseline(say);
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    say(`${shape.what}, repeat ${repeat}`);
    const kilobytes = (shape.files * shape.fileBytes) / 1e3;
    await plain.measure(async (signal) => kilobytes / (await timed(() => hashAll(folder, signal))));
    const elapsedMs = await timed(async () => {
      const running = machine.start(['client', shape.command, 'model', '--json']);
      peaks.push((await peakUntilEnd(running)) / MEGABYTE);
      const { exitCode, stderr } = await running.exited;
      if (exitCode !== 0) throw new Error(`client ${shape.command} ended with ${exitCode}: ${stderr}`);
    });
    samples.push(kilobytes / elapsedMs);
  }
  const what = `${shape.command} of ${shape.what}`;
  return [
    ratioRow({ what, unit: 'MB/s', samples, beside: plain, atLeast: LEAST_RATIO }),
    boundRow({ what: `${what}, peak memory`, unit: 'MB', samples: peaks, atMost: MOST_MEGABYTES }),
  ];
}

async function makeModel(lab: Lab, { command, files, fileBytes }: Shape): Promise<string> {
  const folder = await lab.folder();
  if (command === 'validate') {
    await makeWeights(join(folder, 'model.safetensors'), fileBytes);
    return folder;
  }
  for (let i = 0; i < files; i += 1) await makeRandomFile(join(folder, `model-${i}.bin`), fileBytes);
  return folder;
}

const TENSORS = 100;

/** Random numbers of 16 bits as models have them, without NaN and infinity. */
async function makeWeights(path: string, bytes: number): Promise<void> {
  const size = Math.floor(bytes / TENSORS / 2) * 2;
  const tensors = Array.from({ length: TENSORS }, (_, i) => {
    return [`w${i}`, { dtype: 'BF16', shape: [size / 2], data_offsets: [i * size, (i + 1) * size] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(tensors)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await using file = await open(path, 'wx');
  await file.writeFile(Buffer.concat([length, header]));
  for (let i = 0; i < TENSORS; i += 1) {
    const numbers = randomBytes(size);
    // The highest bit of the exponent is what no usual weight has.
    for (let at = 1; at < size; at += 2) numbers[at] = (numbers[at] as number) & 0xbf;
    await file.writeFile(numbers);
  }
}

async function hashAll(folder: string, signal: AbortSignal): Promise<void> {
  for (const name of await readdir(folder)) await plainSha256(join(folder, name), signal);
}
