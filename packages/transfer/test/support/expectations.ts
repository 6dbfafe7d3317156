import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { TestModel } from './models.ts';

/** Every file is there with the model's bytes. */
export async function expectFiles(folder: string, model: TestModel): Promise<void> {
  for (const [path, bytes] of model.files) {
    const found = await readFile(join(folder, path));
    expect({ path, same: found.equals(bytes) }).toEqual({ path, same: true });
  }
}
