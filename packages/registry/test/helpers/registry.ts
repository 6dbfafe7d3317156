import { afterEach } from '@jest/globals';
import { type Log, silentLog } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { type OpenRegistryOptions, openRegistry, type Registry } from '../../src/index.ts';
import { plainImportSteps } from './models.ts';

const opened: Registry[] = [];

/** A registry, in a folder of its own unless one is named, that is closed after the test. */
export async function openTestRegistry(options: Partial<OpenRegistryOptions> = {}): Promise<Registry> {
  const home = options.home ?? (await temporaryFolder());
  const registry = await openRegistry({ importSteps: plainImportSteps, ...options, home });
  opened.push(registry);
  return registry;
}

/** A log that keeps what it is warned of. */
export function warningLog(): Log & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return { ...silentLog, warnings, warn: (_fields, message) => void warnings.push(message) };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((registry) => registry.close()));
});
