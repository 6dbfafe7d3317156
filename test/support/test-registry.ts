import { openRegistry, type Registry } from '@model-rtc/registry';
import { afterTest } from './after-test.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A registry that is closed after the test, in a folder of its own unless told otherwise. */
export async function openTestRegistry(home?: string): Promise<Registry> {
  const registry = await openRegistry({ home: home ?? (await temporaryFolder()) });
  afterTest(() => registry.close());
  return registry;
}
