import { open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPath } from '@model-rtc/protocol';
import { convertFiles } from '../../packages/registry/src/convert/convert-files.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow, boundRow, type Row, ratioRow } from '../support/benchmark.ts';
import { type LargeTorchFile, makeLargeTorchFile } from '../support/large-torch-file.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';
import { plainSha256, timed } from '../support/plain-sha256.ts';

const MEGABYTE = 1e6;
const REPEATS = 3;
const LEAST_RATIO = 0.7;
const MOST_MEGABYTES = 250;
const BUFFER_BYTES = 16 * 1024 * 1024;

/** 28 matrices of 72 MB are a model of 2 GB. */
const FULL: LargeTorchFile = { tensors: 28, side: 6000 };
const QUICK: LargeTorchFile = { tensors: 4, side: 5000 };
const TRANSPOSED: LargeTorchFile = { tensors: 1, side: 12_000, transposed: true };

export const convert: Benchmark = {
  name: 'convert',
  title:
    'conversion of a torch file to safetensors, beside reading and writing as much; import-model --convert as a whole command',
  async run({ quick }, say) {
    await using lab = createLab();
    const repeats = quick ? 1 : REPEATS;
    const folder = await makeModel(lab, quick ? QUICK : FULL);
    const rows = [...(await converted(lab, folder, repeats, say)), ...(await imported(lab, folder, repeats, say))];
    if (quick) return rows;
    await rm(folder, { recursive: true });
    return [...rows, ...(await converted(lab, await makeModel(lab, TRANSPOSED), repeats, say, 'stored transposed'))];
  },
};

async function makeModel(lab: Lab, shape: LargeTorchFile): Promise<string> {
  const folder = await lab.folder();
  await makeLargeTorchFile(join(folder, 'pytorch_model.bin'), shape);
  await writeFile(join(folder, 'config.json'), '{"model_type":"llama"}');
  // Later readings come from memory, not one of them from the disk.
  await plainSha256(join(folder, 'pytorch_model.bin'));
  return folder;
}

/** Both end when the bytes are on the disk. */
async function converted(
  lab: Lab,
  folder: string,
  repeats: number,
  say: (text: string) => void,
  how?: string,
): Promise<Row[]> {
  const path = join(folder, 'pytorch_model.bin');
  const { size, mtimeNs } = await stat(path, { bigint: true });
  const file = { path: 'pytorch_model.bin' as ModelPath, absolutePath: path, size: Number(size), mode: 0, mtimeNs };
  const samples: number[] = [];
  const copying = createBaseline(say);
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    say(`conversion ${how ?? ''}, repeat ${repeat}`);
    const [target, copy] = [await lab.folder(), join(await lab.folder(), 'copy')];
    await copying.measure(async (signal) => file.size / 1e3 / (await timed(() => copyPlainly(path, copy, signal))));
    const job = { files: [file], folder: target, progress: new SharedArrayBuffer(16) };
    samples.push(file.size / 1e3 / (await timed(() => convertFiles(job))));
    await Promise.all([rm(copy, { force: true }), rm(target, { recursive: true })]);
  }
  const row = {
    what: `conversion of ${sizeText(file.size)}${how === undefined ? '' : `, ${how}`}`,
    unit: 'MB/s',
    samples,
  };
  return [
    how === undefined
      ? ratioRow({ ...row, beside: copying, atLeast: LEAST_RATIO })
      : besideRow({ ...row, beside: copying }),
  ];
}

/** One piece after the other, as a simple program does it. */
async function copyPlainly(from: string, to: string, signal: AbortSignal): Promise<void> {
  const [source, target] = [await open(from), await open(to, 'w')];
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await source.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      await target.writeFile(buffer.subarray(0, bytesRead));
    }
    await target.sync();
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

/** The original is hashed too, and the copy once more. */
async function imported(lab: Lab, folder: string, repeats: number, say: (text: string) => void): Promise<Row[]> {
  const { size } = await stat(join(folder, 'pytorch_model.bin'));
  const [samples, peaks]: [number[], number[]] = [[], []];
  const hashing = createBaseline(say);
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    say(`import, repeat ${repeat}`);
    const machine = await lab.machine(`converter-${repeat}`);
    await hashing.measure(
      async (signal) => size / 1e3 / (await timed(() => plainSha256(join(folder, 'pytorch_model.bin'), signal))),
    );
    const elapsedMs = await timed(async () => {
      const running = machine.start(['client', 'import-model', folder, '--convert', 'safetensors', '--json']);
      peaks.push((await peakUntilEnd(running)) / MEGABYTE);
      const { exitCode, stderr } = await running.exited;
      if (exitCode !== 0) throw new Error(`The import ended with ${exitCode}: ${stderr}`);
    });
    samples.push(size / 1e3 / elapsedMs);
  }
  const what = `import-model --convert of ${sizeText(size)}`;
  return [
    besideRow({ what: `${what}, beside SHA-256 of the original`, unit: 'MB/s', samples, beside: hashing }),
    boundRow({ what: `${what}, peak memory`, unit: 'MB', samples: peaks, atMost: MOST_MEGABYTES }),
  ];
}

function sizeText(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
