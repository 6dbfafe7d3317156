import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Alias } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { afterTest } from '../../../../test/support/after-test.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openTestRegistry } from '../../../../test/support/test-registry.ts';

export { afterTest, openTestRegistry, temporaryFolder };

/** A model whose file is a link to `original`. */
export async function importLinked(
  registry: Registry,
  content: string,
  alias: string,
): Promise<RegistryEntry & { readonly original: string }> {
  const original = join(await temporaryFolder(), 'weights.pt');
  await writeFile(original, content);
  const { entry } = await registry.importModel(original, { alias: alias as Alias });
  return { ...entry, original };
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details?: Record<string, unknown>;
}

export async function failure(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it did not fail');
}
