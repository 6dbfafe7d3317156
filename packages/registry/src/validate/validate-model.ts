import { join } from 'node:path';
import type { CheckResult, ExaminedWeights, FloatFindings } from '@model-rtc/formats/validation';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { resolveNamed } from '../entry/resolve.ts';
import type { ModelValidation, StoredEntry } from '../entry/types.ts';
import type { FileProblem } from '../files/types.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { TaskInput, TaskName, TaskResult } from '../inspect/types.ts';
import { readManifestNote, updateEntryNote } from '../store/model-notes.ts';
import { createHashFound } from '../verify/hash-found.ts';
import { verifyModel } from '../verify/verify-model.ts';
import { findModelFiles } from './model-files.ts';
import { checksumsResult, listedProblems, numbersResult } from './results.ts';
import type { ValidatedModel, ValidateOptions } from './types.ts';

/** A look into files takes seconds; a pattern of a hostile tokenizer could take for ever. */
const TASK_MS = 120_000;
/** As many as an entry has room for, see `checkResultSchema`. */
const MAX_DETAIL_CHARS = 4096;

/** Checks whether a model can be used, and keeps the results in its entry. */
export async function validateModel(
  context: RegistryContext,
  ref: string,
  options: ValidateOptions,
): Promise<ValidatedModel> {
  const { stored } = await resolveNamed(context, await context.index.read(), ref);
  const { digest } = stored;
  if (digest === undefined) {
    throw new ModelRtcError('busy', `Model ${stored.id} is still training. Validate it when it is done.`);
  }
  const results = (await check(context, stored, digest, options)).map(shortened);
  const validation: ModelValidation = {
    at: context.now().toISOString(),
    version: options.version,
    ...(options.quick === true && { quick: true }),
    results,
  };
  const kept = await keep(context, stored, digest, validation);
  return { entry: await context.show(kept), results, isValid: results.every(({ outcome }) => outcome !== 'failed') };
}

async function check(
  context: RegistryContext,
  stored: StoredEntry,
  digest: Digest,
  options: ValidateOptions,
): Promise<CheckResult[]> {
  const { signal, quick = false, bytesVerified = false } = options;
  const hashes = !quick && !bytesVerified;
  const verifying = { ...context, hashFound: createHashFound() };
  const folder = join(context.paths.models, stored.folder);
  const noted = async () => await readManifestNote(folder, digest).catch(() => undefined);
  // A verification writes a lost manifest again.
  const first = (await noted()) === undefined ? await verifyModel(verifying, digest, options) : undefined;
  const manifest = await noted();
  if (manifest === undefined) return withoutManifest(first?.verified.problems ?? []);
  const { result, files } = await findModelFiles(context, stored, manifest);
  const weights = await examine(context, files, signal);
  const verifies = { ...options, quick: !hashes, spans: weights.floats };
  const { verified, floats } = await verifyModel(verifying, digest, verifies);
  const results = [
    result,
    checksumsResult(verified, absent(manifest, files), hashes ? 'now' : quick ? 'never' : 'before'),
    ...weights.results,
    numbersResult(hashes ? [...floats.values()] : await lookAtNumbers(context, files, weights, options), quick),
    await tokenizer(context, files, signal),
  ];
  return [...results, await forward(context, stored, results, options)];
}

function withoutManifest(problems: readonly FileProblem[]): CheckResult[] {
  const detail = listedProblems(problems);
  const others = ['checksums', 'headers', 'config', 'numbers', 'tokenizer', 'forward'];
  return [
    { check: 'files', outcome: 'failed', detail },
    ...others.map((name): CheckResult => ({ check: name, outcome: 'skipped', detail: 'The files are not known.' })),
  ];
}

/** The files that are not there as they should be. */
function absent(manifest: Manifest, files: readonly ScannedFile[]): ReadonlySet<string> {
  const there = new Set<string>(files.map(({ path }) => path));
  return new Set(manifest.files.map(({ path }) => path as string).filter((path) => !there.has(path)));
}

async function examine(
  context: RegistryContext,
  files: readonly ScannedFile[],
  signal: AbortSignal | undefined,
): Promise<ExaminedWeights> {
  const examined = await look(context, 'examineWeights', files, signal);
  if (!(examined instanceof ModelRtcError)) return examined;
  return { results: [{ check: 'headers', outcome: 'failed', detail: examined.message }], floats: new Map() };
}

async function tokenizer(
  context: RegistryContext,
  files: readonly ScannedFile[],
  signal: AbortSignal | undefined,
): Promise<CheckResult> {
  const found = await look(context, 'checkTokenizer', files, signal);
  // The largest real ones come near to what is allowed.
  return found instanceof ModelRtcError ? { check: 'tokenizer', outcome: 'warning', detail: found.message } : found;
}

async function lookAtNumbers(
  context: RegistryContext,
  files: readonly ScannedFile[],
  { floats }: ExaminedWeights,
  { quick = false, signal }: ValidateOptions,
): Promise<FloatFindings[]> {
  const found: FloatFindings[] = [];
  for (const file of files) {
    const spans = floats.get(file.path);
    if (spans !== undefined)
      found.push(await context.reading.run('sampleFloats', { file, spans, all: !quick }, { signal }));
  }
  return found;
}

/** Reads into files in the thread. @returns the error of files that take too much memory or time, or change meanwhile */
async function look<T extends TaskName>(
  { reading }: RegistryContext,
  task: T,
  input: TaskInput<T>,
  signal: AbortSignal | undefined,
): Promise<TaskResult<T> | ModelRtcError> {
  const limit = AbortSignal.timeout(TASK_MS);
  try {
    return await reading.run(task, input, { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
  } catch (thrown) {
    const error = ModelRtcError.from(thrown);
    if (signal?.aborted !== true && limit.aborted) {
      return new ModelRtcError('invalid_model', `Looking into it takes more than ${TASK_MS / 1000} seconds.`);
    }
    if (error.code === 'invalid_model' || error.code === 'source_changed') return error;
    throw error;
  }
}

/** A model that is damaged is not run. */
async function forward(
  { show }: RegistryContext,
  stored: StoredEntry,
  results: readonly CheckResult[],
  options: ValidateOptions,
): Promise<CheckResult> {
  const skipped = (detail: string): CheckResult => ({ check: 'forward', outcome: 'skipped', detail });
  const failed = results.filter(({ outcome }) => outcome === 'failed').map((one) => one.check);
  if (failed.length > 0) return skipped(`Not run, since this failed: ${failed.join(', ')}.`);
  if (options.forward !== undefined) return await options.forward(await show(stored), options.signal);
  const { alias, id } = stored;
  return skipped(`The program that asked for this runs no models. To run it: model-rtc client validate ${alias ?? id}`);
}

function shortened({ check: name, outcome, detail }: CheckResult): CheckResult {
  return { check: name, outcome, ...(detail !== undefined && { detail: detail.slice(0, MAX_DETAIL_CHARS) }) };
}

/** Writes the results into the entry, unless the model was removed or its files were replaced meanwhile. */
async function keep(
  { index, paths }: RegistryContext,
  stored: StoredEntry,
  digest: Digest,
  validation: ModelValidation,
): Promise<StoredEntry> {
  return await index.update(async ({ byDigest }) => {
    const now = byDigest.get(digest);
    if (now === undefined || now.folder !== stored.folder) return { result: { ...stored, validation } };
    const validated = { ...now, validation };
    await updateEntryNote(join(paths.models, now.folder), validated);
    return { result: validated, put: [validated] };
  });
}
