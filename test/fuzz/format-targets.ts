import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ByteReader,
  createReadBudget,
  listTensors,
  MODEL_READ_LIMITS,
  type NamedReader,
  planChunks,
  type ReadOptions,
  readFileMetadata,
  scanFile,
} from '@model-rtc/formats';
import { convertedBlocks, planConversion, whyNotConverted } from '@model-rtc/formats/convert';
import { recogniseFile } from '@model-rtc/formats/layouts';
import { ModelRtcError } from '@model-rtc/protocol';
import { LIGHTGBM, XGBOOST_JSON, XGBOOST_UBJSON } from '../../packages/formats/test/boosters/make-boosters.ts';
import { ggufText, makeGguf, makeSafetensors, makeZip } from '../../packages/formats/test/chunks/make-files.ts';
import { inflate } from '../../packages/registry/src/inspect/inflate.ts';
import { sample } from '../support/model-samples.ts';
import { torchSample } from '../support/torch-samples.ts';
import type { FuzzTarget } from './fuzz.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
/** Longer ones are read too slowly to be changed often; what makes a format is at the start or the end. */
const MOST_SAMPLE_BYTES = 64 * 1024;

const WEIGHTS = { name: 'w', bytes: new Uint8Array(64) };

/** A file in memory that refuses what lies outside of it. */
function readerOf(bytes: Uint8Array): ByteReader {
  return {
    size: bytes.length,
    async read(offset, length) {
      if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0)) {
        throw new RangeError(`a read of ${length} bytes at ${offset}`);
      }
      if (offset + length > bytes.length) throw new RangeError(`a read of ${length} bytes at ${offset} beyond the end`);
      return bytes.slice(offset, offset + length);
    },
  };
}

async function samples(): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = [
    makeSafetensors([WEIGHTS], { format: 'pt' }),
    makeGguf([WEIGHTS], { 'general.name': [8, ggufText('mouse')] }),
    ...[XGBOOST_JSON, XGBOOST_UBJSON, LIGHTGBM],
    makeZip([{ name: 'archive/data.pkl', bytes: sample('evilProtocol2') }]),
    ...(['evilProtocol0', 'evilProtocol2', 'evilProtocol4', 'torchZip', 'torchLegacy'] as const).map(sample),
  ];
  for (const entry of await readdir(FIXTURES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(safetensors|gguf|bin|onnx|h5|keras|ckpt|json|ya?ml)$/.test(entry.name)) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    if (bytes.length <= MOST_SAMPLE_BYTES) found.push(bytes);
    else found.push(bytes.subarray(0, MOST_SAMPLE_BYTES), bytes.subarray(-MOST_SAMPLE_BYTES));
  }
  return found;
}

/** As a model's files are read. */
function options(): ReadOptions {
  return { inflate, budget: createReadBudget(MODEL_READ_LIMITS, () => performance.now()) };
}

async function answered<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ModelRtcError && error.code !== 'unexpected') return undefined;
    throw error;
  }
}

export const FORMAT_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'chunk-boundaries',
    samples,
    async read(bytes) {
      const chunks = await planChunks(readerOf(bytes), 'w');
      const total = chunks.reduce((sum, size) => sum + size, 0);
      if (total !== bytes.length) throw new Error(`chunks of ${total} bytes for a file of ${bytes.length}`);
    },
  },
  {
    name: 'metadata',
    samples,
    read: async (bytes) => void (await readFileMetadata(readerOf(bytes))),
  },
  {
    name: 'tensors',
    samples,
    read: async (bytes) => void (await listTensors(readerOf(bytes), options())),
  },
  {
    name: 'code',
    samples,
    async read(bytes) {
      for (const path of ['w.pt', 'w.safetensors', 'w.keras', 'w.npz', 'w']) {
        const file: NamedReader = { ...readerOf(bytes), path };
        await scanFile(file, options());
      }
    },
  },
  {
    name: 'one-file-models',
    samples,
    async read(bytes) {
      for (const path of ['w.pt', 'w.safetensors', 'w.gguf', 'w.onnx', 'w.h5']) {
        const reader = readerOf(bytes);
        const file = { ...reader, path, location: path, modifiedAtMs: undefined };
        const readStart = async (maxBytes: number) => bytes.slice(0, maxBytes);
        await answered(recogniseFile({ ...file, readStart }, options()));
      }
    },
  },
  {
    name: 'convert',
    samples: async () => [
      ...(await samples()),
      ...(['zip', 'legacy', 'wrapped', 'protocol4'] as const).map(torchSample),
    ],
    read: convert,
  },
];

/** What is planned can be read, and is as long as it says. */
async function convert(bytes: Uint8Array): Promise<void> {
  const reader = readerOf(bytes);
  const plan = await planConversion(reader, options()).catch((thrown: unknown) => {
    if (whyNotConverted(thrown) === undefined) throw thrown;
  });
  if (!plan) return;
  const readInto = async (target: Uint8Array, offset: number) => target.set(await reader.read(offset, target.length));
  let size = 0;
  for (const block of convertedBlocks(plan, 64 * 1024)) {
    size += block.bytes;
    await block.fill(new Uint8Array(block.bytes), { readInto });
  }
  if (size !== plan.size) throw new Error(`a file of ${size} bytes where ${plan.size} were planned`);
}
