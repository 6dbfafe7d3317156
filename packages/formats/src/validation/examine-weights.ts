import { unlessBroken } from '../bytes/structure-error.ts';
import { findFlaws } from '../completeness/find-flaws.ts';
import { readJson } from '../completeness/read-json.ts';
import type { CheckedFile } from '../completeness/types.ts';
import { type Document, isObject } from '../documents/scalars.ts';
import { extensionOf } from '../file-names.ts';
import { listTensors } from '../formats.ts';
import { type GgufHeader, readGgufHeader } from '../gguf/gguf.ts';
import { isWeightsFile } from '../layouts/weights-files.ts';
import type { FileTensor, ReadOptions } from '../types.ts';
import { checkAdapter } from './check-adapter.ts';
import { checkConfig } from './check-config.ts';
import { checkGgufConfig } from './check-gguf.ts';
import { checkIndex } from './check-index.ts';
import { type FloatSpan, isFloat } from './scan-floats.ts';
import { type CheckResult, configResult, someOf } from './types.ts';
import { chooseWeights } from './weights.ts';

const MAX_CONFIG_BYTES = 2 * 1024 * 1024;

/** What the headers of a model's weights tell. */
export interface ExaminedWeights {
  readonly results: readonly CheckResult[];
  /** Where numbers lie that may be none, by the path of their file. */
  readonly floats: ReadonlyMap<string, readonly FloatSpan[]>;
}

/**
 * Checks the headers of a model's weights against the sizes of the files, an index against its shards, and the configuration
 * against the tensors. Reads headers and configurations alone.
 * @throws what opening and reading a file throws
 */
export async function examineWeights(files: readonly CheckedFile[], options: ReadOptions): Promise<ExaminedWeights> {
  const tensors = new Map<string, readonly FileTensor[]>();
  for (const file of files) {
    if (!isWeightsFile(file.path) || file.size === 0) continue;
    options.signal?.throwIfAborted();
    tensors.set(file.path, await file.withReader(async (reader) => await listTensors(reader, options)));
  }
  const results = [await checkHeaders(files, tensors, options), ...(await checkContent(files, tensors, options))];
  const floats = new Map<string, readonly FloatSpan[]>();
  for (const [path, found] of tensors) {
    const spans = found.filter(({ dtype }) => isFloat(dtype));
    if (spans.length > 0)
      floats.set(
        path,
        spans.map(({ name, dtype, start, bytes }) => ({ name, dtype, start, bytes })),
      );
  }
  return { results, floats };
}

type Tensors = ReadonlyMap<string, readonly FileTensor[]>;

async function checkHeaders(
  files: readonly CheckedFile[],
  tensors: Tensors,
  options: ReadOptions,
): Promise<CheckResult> {
  const flaws = await findFlaws(files, options);
  if (flaws.length > 0) {
    const named = flaws.map(({ path, problem }) => `${path} ${problem}`);
    return { check: 'headers', outcome: 'failed', detail: `${someOf(named)}.` };
  }
  if (tensors.size === 0) {
    return { check: 'headers', outcome: 'skipped', detail: 'The model has no weights file of a format that is known.' };
  }
  const count = [...tensors.values()].reduce((sum, found) => sum + found.length, 0);
  const places = tensors.size === 1 ? '1 file' : `${tensors.size} files`;
  if (count === 0) {
    const fit = tensors.size === 1 ? 'fits its format' : 'fit their formats';
    return { check: 'headers', outcome: 'passed', detail: `${places} of weights ${fit}.` };
  }
  const [what, fit] = count === 1 ? ['1 tensor', 'fits'] : [`${count} tensors`, 'fit'];
  const sizes = tensors.size === 1 ? 'the size of the file' : 'the sizes of the files';
  return { check: 'headers', outcome: 'passed', detail: `${what} in ${places} ${fit} ${sizes}.` };
}

async function checkContent(
  files: readonly CheckedFile[],
  tensors: Tensors,
  options: ReadOptions,
): Promise<CheckResult[]> {
  const adapter = await readConfig(files, 'adapter_config.json');
  const config = await readConfig(files, 'config.json');
  const weights = await chooseWeights(files);
  if (weights !== undefined && (adapter !== undefined || config !== undefined)) {
    const shards = new Map(weights.files.map(({ path }) => [path, tensors.get(path) ?? []]));
    const index = weights.index === undefined ? [] : [checkIndex(weights.index, shards)];
    return [...index, compareConfig(adapter, config, [...shards.values()].flat())];
  }
  const headers = await readGgufHeaders(files, options);
  if (headers.length > 0) return [checkGgufConfig(headers)];
  const detail =
    adapter === undefined && config === undefined
      ? 'The model has no config.json.'
      : 'Nothing tells which weights the configuration is of.';
  return [configResult('skipped', detail)];
}

function compareConfig(
  adapter: Document | 'damaged' | undefined,
  config: Document | 'damaged' | undefined,
  tensors: readonly FileTensor[],
): CheckResult {
  const isAdapter = adapter !== undefined && tensors.some(({ name }) => /\blora_/.test(name));
  const chosen = isAdapter || config === undefined ? adapter : config;
  const name = chosen === adapter ? 'adapter_config.json' : 'config.json';
  if (chosen === undefined || chosen === 'damaged') {
    return configResult('failed', `${name} is no JSON object, or too large.`);
  }
  if (tensors.length === 0) return configResult('skipped', 'The tensors of its weights cannot be listed.');
  return chosen === adapter ? checkAdapter(chosen, tensors) : checkConfig(chosen, tensors);
}

/** The configuration at the top of a model; undefined when there is none. */
export async function readConfig(
  files: readonly CheckedFile[],
  path: string,
): Promise<Document | 'damaged' | undefined> {
  const file = files.find((one) => one.path === path);
  if (file === undefined) return undefined;
  const json = await readJson(file, MAX_CONFIG_BYTES);
  return isObject(json) ? json : 'damaged';
}

/** Of a model that is split the first file comes first. A projector beside it is a model of its own. */
async function readGgufHeaders(files: readonly CheckedFile[], { signal }: ReadOptions): Promise<GgufHeader[]> {
  const headers: GgufHeader[] = [];
  for (const file of files) {
    if (extensionOf(file.path) !== '.gguf' || /mmproj|adapter/i.test(file.path)) continue;
    signal?.throwIfAborted();
    const header = await file.withReader(async (reader) => await unlessBroken(readGgufHeader(reader)));
    if (header !== undefined) headers.push(header);
  }
  const parts = headers.filter(({ metadata }) => metadata.has('split.count'));
  if (parts.length > 0) return parts;
  // Several that are not parts of one are several models.
  return headers.slice(0, 1);
}
