import {
  type ByteReader,
  type ComparableFile,
  type ComparableModel,
  createReadBudget,
  MODEL_READ_LIMITS,
  planChunks,
  type ReadOptions,
  scanFile,
} from '@model-rtc/formats';
import type { CodeFile, Manifest } from '@model-rtc/protocol';
import { openModelFiles } from '../files/model-files.ts';
import type { RegisteredModel } from '../files/types.ts';
import { openSourceFile } from '../hash/source-file.ts';
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
  async findComponents({ files, flaws }) {
    const { findComponents } = await import('@model-rtc/formats/layouts');
    return await findComponents(toChecked(files), flaws);
  },
  async scanModel({ path, options }) {
    const { scanModel } = await import('../import/scan-model.ts');
    return await scanModel(path, options);
  },
  async findModels({ path, options }) {
    const { findModels } = await import('../import/find-models.ts');
    return await findModels(path, options);
  },
  planChunks: async (file) => await withSource(file, (source) => planChunks(source, file.path)),
  async compareTensors([first, second], { signal }) {
    const { compareTensors } = await import('@model-rtc/formats');
    return await withModel(first, (a) => withModel(second, (b) => compareTensors(a, b, { inflate, signal })));
  },
  async convertFiles(job, { signal }) {
    const { convertFiles } = await import('../convert/convert-files.ts');
    return await convertFiles(job, signal);
  },
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
    return await withSource(file, (source) => sampleFloats(source, spans, { all, signal }));
  },
};

function toChecked(files: readonly ScannedFile[]) {
  return files.map((file) => ({
    ...{ path: file.path, size: file.size },
    withReader: async <T>(work: (reader: ByteReader) => Promise<T>) => await withSource(file, work),
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

async function withSource<T>(
  file: ScannedFile,
  work: (source: Awaited<ReturnType<typeof openSourceFile>>) => Promise<T>,
): Promise<T> {
  const source = await openSourceFile(file);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/** Does the work with a registered model's files. Reading them throws ModelRtcError `source_changed`. */
async function withModel<T>(
  { place, manifest, stats }: RegisteredModel,
  work: (model: ComparableModel) => Promise<T>,
): Promise<T> {
  const opened = openModelFiles(place, stats);
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    if (length > 0) await opened.read(offset, bytes);
    return bytes;
  };
  try {
    return await work({ manifest, files: filesOf(manifest, read), read });
  } finally {
    await opened.close();
  }
}

function filesOf({ files }: Manifest, read: ComparableModel['read']): ComparableFile[] {
  let start = 0;
  return files.map(({ path, size }) => {
    const begin = start;
    start += size;
    return { path, start: begin, size, read: (offset, length) => read(begin + offset, length) };
  });
}
