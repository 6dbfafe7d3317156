import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isWeightsFile } from '@model-rtc/formats';
import { ModelRtcError } from '@model-rtc/protocol';
import type { SkippedPath } from './scanned-model.ts';

/** Folders that are looked into; a cache may have thousands. */
const MAX_FOLDERS = 200;

/** Throws the error again; one that says that there is no model names the folder of weights that was left out, if there is one. */
export async function namingLeftOut(thrown: unknown, root: string, skipped: readonly SkippedPath[]): Promise<never> {
  const error = ModelRtcError.from(thrown);
  if (error.code !== 'bad_argument') throw thrown;
  const left = await findWeights(root, skipped);
  if (left === undefined) throw thrown;
  const sentence = `There is no model at ${root}, but ${left.path} was left out (${left.reason}) and holds weights. Import ${join(root, left.path)} by itself.`;
  throw new ModelRtcError('bad_argument', sentence, {
    cause: thrown,
    details: { ...error.details, leftOut: left.path },
  });
}

async function findWeights(root: string, skipped: readonly SkippedPath[]): Promise<SkippedPath | undefined> {
  let looked = 0;
  for (const left of skipped) {
    const open = [join(root, left.path)];
    for (let folder = open.pop(); folder !== undefined && looked < MAX_FOLDERS; folder = open.pop()) {
      looked++;
      const items = await readdir(folder, { withFileTypes: true }).catch(() => []);
      if (items.some((item) => !item.isDirectory() && isWeightsFile(item.name))) return left;
      for (const item of items) if (item.isDirectory()) open.push(join(folder, item.name));
    }
  }
  return undefined;
}
