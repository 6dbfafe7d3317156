import {
  type ByteReader,
  type ComparableFile,
  type ComparableModel,
  compareTensors,
  createReadBudget,
  MODEL_READ_LIMITS,
  planChunks,
  type ReadOptions,
  scanFile,
} from '@model-rtc/formats';
import type { CodeFile, Manifest } from '@model-rtc/protocol';
import { openModelFiles } from '../files/model-files.ts';
import type { RegisteredModel } from '../files/types.ts';
import { withSourceFile } from '../hash/source-file.ts';
import type { SourceFile } from '../hash/types.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { inflate } from './inflate.ts';
import { readAhead } from './read-ahead.ts';
import type { TaskInput, TaskName, TaskOptions, TaskResult } from './types.ts';

type Tasks = { readonly [T in TaskName]: (input: TaskInput<T>, options: TaskOptions) => Promise<TaskResult<T>> };

/** The tasks themselves, in whatever thread they are done. */
export const READING_TASKS: Tasks = {
  async prepareImport() {
    await Promise.all([import('../import/scan-model.ts'), import('@model-rtc/formats/layouts')]);
    return undefined;
  },
  async scanFiles({ files, at }, { signal, onReport }) {
    const place = new Int32Array(at);
    const budget = createReadBudget(MODEL_READ_LIMITS, () => performance.now());
    for await (const { file, source } of readAhead(files)) {
      const found = await scanOne(file.path, source, { inflate, includesText, signal, budget });
      if (found !== undefined) onReport?.(found);
      Atomics.add(place, 0, 1);
    }
    return undefined;
  },
  async findFlaws(files, { signal }) {
    const { findFlaws } = await import('@model-rtc/formats/layouts');
    const budget = createReadBudget(MODEL_READ_LIMITS, () => performance.now());
    return await findFlaws(toChecked(files), { inflate, signal, budget });
  },
  findComponents: async ({ files, flaws }) =>
    await (await import('@model-rtc/formats/layouts')).findComponents(toChecked(files), flaws),
  scanModel: async ({ path, options }) => await (await import('../import/scan-model.ts')).scanModel(path, options),
  findModels: async ({ path, options }) => await (await import('../import/find-models.ts')).findModels(path, options),
  planChunks: async (file) => await withSourceFile(file, (source) => planChunks(source, file.path)),
  compareTensors: async ([first, second], { signal }) =>
    await withModel(first, (a) => withModel(second, (b) => compareTensors(a, b, { inflate, signal }))),
  convertFiles: async (job, { signal }) =>
    await (await import('../convert/convert-files.ts')).convertFiles(job, signal),
  async trainingCurves(model) {
    const { readTrainingCurves } = await import('@model-rtc/formats/layouts');
    return await withModel(model, ({ files }) => readTrainingCurves(files));
  },
  async examineWeights(files, { signal }) {
    const { examineWeights } = await import('@model-rtc/formats/validation');
    const budget = createReadBudget(MODEL_READ_LIMITS, () => performance.now());
    return await examineWeights(toChecked(files), { inflate, signal, budget });
  },
  async checkTokenizer(files) {
    const { checkTokenizer, readConfig } = await import('@model-rtc/formats/validation');
    const checked = toChecked(files);
    const config = await readConfig(checked, 'config.json');
    return await checkTokenizer(checked, config === 'damaged' ? undefined : config);
  },
  async sampleFloats({ file, spans, all }, { signal }) {
    const { sampleFloats } = await import('@model-rtc/formats/validation');
    return await withSourceFile(file, (source) => sampleFloats(inOneArray(source), spans, { all, signal }));
  },
};

/**
 * A reader for work that keeps no array: each read overwrites what the one before gave. A new array for each part of a large model
 * stays in memory until V8 next collects garbage, which it seldom does for a heap so small.
 */
function inOneArray({ size, readInto }: SourceFile): ByteReader {
  let array = new Uint8Array(0);
  return {
    size,
    async read(offset, length) {
      if (array.length < length) array = new Uint8Array(length);
      const target = array.subarray(0, length);
      await readInto(target, offset);
      return target;
    },
  };
}

function toChecked(files: readonly ScannedFile[]) {
  return files.map((file) => ({
    ...{ path: file.path, size: file.size },
    withReader: async <T>(work: (reader: ByteReader) => Promise<T>) => await withSourceFile(file, work),
  }));
}

async function scanOne(path: string, source: ByteReader, options: ReadOptions): Promise<CodeFile | undefined> {
  const found = await scanFile({ ...source, path }, options);
  if (!found.isCode) return undefined;
  const suspicious = [...found.suspicious];
  return found.unexamined ? { path, suspicious, unexamined: true } : { path, suspicious };
}

/** At native speed: an HDF5 file is searched whole. */
function includesText({ buffer, byteOffset, byteLength }: Uint8Array, text: string): boolean {
  return Buffer.from(buffer, byteOffset, byteLength).includes(text, 0, 'latin1');
}

/** Does the work with a registered model's files. Reading them throws ModelRtcError `source_changed`. */
async function withModel<T>(
  { place, manifest, stats }: RegisteredModel,
  work: (model: ComparableModel) => Promise<T>,
): Promise<T> {
  await using opened = openModelFiles(place, stats);
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    if (length > 0) await opened.read(offset, bytes);
    return bytes;
  };
  return await work({ manifest, files: filesOf(manifest, read), read });
}

function filesOf({ files }: Manifest, read: ComparableModel['read']): ComparableFile[] {
  let start = 0;
  return files.map(({ path, size }) => {
    const begin = start;
    start += size;
    return { path, start: begin, size, read: (offset, length) => read(begin + offset, length) };
  });
}
