import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { ModelContents } from '@model-rtc/protocol';
import type { TestModel } from './models.ts';
import { type PullInput, pullModel } from './pulling.ts';

/** Every file is there with the model's bytes. */
export async function expectFiles(folder: string, model: TestModel): Promise<void> {
  for (const [path, bytes] of model.files) {
    const found = await readFile(join(folder, path));
    expect({ path, same: found.equals(bytes) }).toEqual({ path, same: true });
  }
}

/** Pulls a model that is described by nothing but these contents, and checks that all of it came. */
export async function pullKnown(
  contents: ModelContents,
  options: Omit<PullInput, 'contents'>,
  of: TestModel,
): Promise<Awaited<ReturnType<typeof pullModel>>> {
  const outcome = await pullModel(of, { ...options, contents });
  await expectFiles(outcome.filesFolder, of);
  expect(outcome.files.map(({ path, sha256 }) => [path, sha256])).toEqual(
    of.manifest.files.map(({ path, sha256 }) => [path, sha256]),
  );
  await outcome.release();
  return outcome;
}
