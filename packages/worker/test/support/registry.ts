import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { Alias } from '@model-rtc/protocol';
import { openRegistry, type Registry, type RegistryEntry } from '@model-rtc/registry';

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Something to undo after the test, last first. */
export function afterTest(step: () => unknown): void {
  undo.push(step);
}

export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'model-rtc-worker-')));
  afterTest(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openTestRegistry(home?: string): Promise<Registry> {
  const registry = await openRegistry({ home: home ?? (await temporaryFolder()) });
  afterTest(() => registry.close());
  return registry;
}

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
