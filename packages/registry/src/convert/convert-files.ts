import { performance } from 'node:perf_hooks';
import { requireRoom } from '@model-rtc/files';
import { createReadBudget, MODEL_READ_LIMITS } from '@model-rtc/formats';
import {
  type Conversion,
  convertedIndex,
  convertedIndexName,
  convertedName,
  planConversion,
  tiesWeights,
  whyNotConverted,
} from '@model-rtc/formats/convert';
import { trainingStateReason } from '@model-rtc/formats/layouts';
import { ModelRtcError, modelPathProblem, parseJson } from '@model-rtc/protocol';
import { withSourceFile } from '../hash/source-file.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { inflate } from '../inspect/inflate.ts';
import { createMeter } from '../progress.ts';
import type { ConvertedFile } from './types.ts';
import { createWriteBuffers, targetIn, writeConverted, writeText } from './write-converted.ts';

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** An index of 100,000 tensors takes some 10 MB. */
const MAX_INDEX_BYTES = 32 * 1024 * 1024;

/** All that the work needs can be sent to a thread. */
export interface ConvertJob {
  /** All files of the model. */
  readonly files: readonly ScannedFile[];
  /** An empty folder for the new files. */
  readonly folder: string;
  /** A Float64Array: the bytes that are written, and all that will be. */
  readonly progress: SharedArrayBuffer;
}

/** What the folder has now. */
export interface ConvertedFiles {
  readonly converted: readonly ConvertedFile[];
  /** Files of the model that are not to be kept beside those in the folder: the converted ones, and their indexes. */
  readonly replaced: readonly string[];
  /** The new files, inside the model. */
  readonly written: readonly string[];
  /** What a person should know of it, one sentence each. */
  readonly warnings: readonly string[];
}

interface Planned {
  readonly file: ScannedFile;
  readonly to: string;
  readonly plan: Conversion;
}

/**
 * Writes the safetensors files that a model's torch files become, and their index. Reads hostile bytes: call it in the thread that
 * reads model files.
 * @throws ModelRtcError `invalid_model` naming what cannot be converted, before anything is written; `source_changed`,
 *   `storage_full`, `storage`, `cancelled`
 */
export async function convertFiles(job: ConvertJob, signal?: AbortSignal): Promise<ConvertedFiles> {
  const { planned, warnings } = await planAll(job.files, signal);
  if (planned.length === 0) return { converted: [], replaced: [], written: [], warnings: [] };
  const indexes = await convertIndexes(job.files, planned);
  requireFreeNames(job.files, planned, indexes);
  const bytes = planned.reduce((sum, { plan }) => sum + plan.size, 0);
  await requireRoom({ folder: job.folder, bytes, what: 'The converted model', otherwise: 'import without --convert' });
  const progress = new Float64Array(job.progress);
  progress[1] = bytes;
  const onProgress = ({ doneBytes }: { readonly doneBytes: number }) => {
    progress[0] = doneBytes;
  };
  const meter = createMeter(bytes, { signal, onProgress });
  const buffers = createWriteBuffers();
  for (const { file, to, plan } of planned) {
    const target = await targetIn(job.folder, to);
    await withSourceFile(file, async (source) => await writeConverted(plan, source, target, buffers, meter));
  }
  for (const { to, text } of indexes) await writeText(await targetIn(job.folder, to), text);
  return {
    converted: planned.map(({ file, to }) => ({ from: file.path, to })),
    replaced: [...planned.map(({ file }) => file.path), ...indexes.map(({ from }) => from)],
    written: [...planned, ...indexes].map(({ to }) => to),
    warnings,
  };
}

async function planAll(
  files: readonly ScannedFile[],
  signal: AbortSignal | undefined,
): Promise<{ readonly planned: readonly Planned[]; readonly warnings: readonly string[] }> {
  const planned: Planned[] = [];
  const warnings: string[] = [];
  const budget = createReadBudget(MODEL_READ_LIMITS, () => performance.now());
  const ties = tiesByFolder(files);
  for (const file of files) {
    const to = convertedName(file.path);
    if (to === undefined) continue;
    const state = trainingStateReason(file.path);
    if (state !== undefined) {
      warnings.push(`${file.path} is ${state}, and stays as it is.`);
      continue;
    }
    const options = { inflate, budget, signal, tiesWeights: await ties(file.path) };
    const plan = await withSourceFile(file, async (source) => {
      return await planConversion(budget.excuseReads(source), options).catch((thrown: unknown) => {
        throw cannotConvert(file, thrown);
      });
    });
    if (plan === undefined) warnings.push(`${file.path} holds no tensors of torch, and stays as it is.`);
    else planned.push({ file, to, plan });
    for (const warning of plan?.warnings ?? []) warnings.push(`${file.path}: ${warning}`);
  }
  return { planned, warnings };
}

/** Whether the configuration beside a file ties weights; each is read once. */
function tiesByFolder(files: readonly ScannedFile[]): (path: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  const byPath = new Map<string, ScannedFile>(files.map((file) => [file.path, file]));
  return async (path) => {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const config = byPath.get(`${folder}config.json`);
    if (config === undefined) return false;
    const reading = known.get(folder) ?? readJson(config, MAX_CONFIG_BYTES).then(tiesWeights);
    known.set(folder, reading);
    return await reading;
  };
}

function cannotConvert({ path }: ScannedFile, thrown: unknown): ModelRtcError {
  const why = whyNotConverted(thrown);
  if (why === undefined) return ModelRtcError.from(thrown);
  const sentence = `${path} cannot be converted to safetensors: ${why}. Leave it out with --exclude, or take the model as it is, without --convert.`;
  return new ModelRtcError('invalid_model', sentence, { cause: thrown, details: { path, reason: 'convert' } });
}

interface NewIndex extends ConvertedFile {
  readonly text: string;
}

async function convertIndexes(files: readonly ScannedFile[], planned: readonly Planned[]): Promise<NewIndex[]> {
  const shards = planned.map(({ file, to, plan }) => ({ from: file.path, to, dropped: plan.dropped }));
  const indexes: NewIndex[] = [];
  for (const file of files) {
    const to = convertedIndexName(file.path);
    const text = to && convertedIndex(file.path, await readJson(file, MAX_INDEX_BYTES), shards);
    if (to !== undefined && text !== undefined) indexes.push({ from: file.path, to, text });
  }
  return indexes;
}

/** Undefined for what is no JSON, or too large. */
async function readJson(file: ScannedFile, maxBytes: number): Promise<unknown> {
  if (file.size > maxBytes) return undefined;
  const bytes = await withSourceFile(file, (source) => source.read(0, file.size));
  return parseJson(new TextDecoder().decode(bytes));
}

/** A converted file never takes the name of another one, on any file system. */
function requireFreeNames(
  files: readonly ScannedFile[],
  planned: readonly Planned[],
  indexes: readonly NewIndex[],
): void {
  const taken = new Map(files.map(({ path }) => [folded(path), path as string]));
  for (const { from, to } of [...planned.map(({ file, to }) => ({ from: file.path as string, to })), ...indexes]) {
    const owner = taken.get(folded(to));
    const problem =
      owner === undefined ? modelPathProblem(to) : `${JSON.stringify(owner)} has that name, or becomes it`;
    if (problem !== undefined) {
      const sentence = `${from} cannot become ${to}: ${problem}. Leave one of them out with --exclude.`;
      throw new ModelRtcError('invalid_model', sentence, { details: { path: from, reason: 'convert' } });
    }
    taken.set(folded(to), from);
  }
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
