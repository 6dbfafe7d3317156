import { type Digest, type JobData, ModelRtcError } from '@model-rtc/protocol';
import type { Runner } from '../runners/runner-schema.ts';
import type { DataSets, JobModel, Owner } from '../types.ts';

/** Names that a message shows. */
const SHOWN_FILES = 3;

export interface FoundData {
  readonly data: JobData;
  readonly paths: readonly string[];
  readonly bytes: number;
}

/** @throws ModelRtcError `not_found` with the digests of the data that the owner has to send first, as `missing` */
export async function findData(data: readonly JobData[], owner: Owner, dataSets: DataSets): Promise<FoundData[]> {
  const missing: Digest[] = [];
  const found: FoundData[] = [];
  for (const one of data) {
    const set = await dataSets.find(one.digest, owner);
    if (set === undefined) missing.push(one.digest);
    else found.push({ data: one, paths: set.manifest.files.map(({ path }) => path), bytes: set.bytes });
  }
  if (missing.length === 0) return found;
  const names = data.filter(({ digest }) => missing.includes(digest)).map(({ name }) => name);
  throw new ModelRtcError('not_found', `The worker does not have the data ${names.join(', ')}. Push it first.`, {
    details: { missing },
  });
}

/**
 * Models that run code when they are loaded run only where the worker's owner allows it; one that nobody examined may.
 * @throws ModelRtcError `refused`
 */
export function checkCode(models: readonly JobModel[], { name, allowUnsafeModels }: Runner): void {
  if (allowUnsafeModels === true) return;
  const unsafe = models.find(({ codeFiles }) => codeFiles === undefined || codeFiles.length > 0);
  if (unsafe === undefined) return;
  const files = (unsafe.codeFiles ?? []).slice(0, SHOWN_FILES).map(({ path }) => path);
  const why = files.length === 0 ? 'nobody knows whether it runs code' : `it runs code (${files.join(', ')})`;
  throw new ModelRtcError(
    'refused',
    `The model ${unsafe.alias ?? unsafe.id} is not run by ${name}: ${why} when it is loaded. Use it as safetensors or ONNX, or ask the worker's owner to set "allowUnsafeModels": true for this runner.`,
    { details: { runner: name, codeFiles: files } },
  );
}
