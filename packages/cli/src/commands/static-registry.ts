import { join } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { StaticProvider } from '@model-rtc/static-registry';
import type { ArgumentSpecs, ValuesOf } from '../command-line/types.ts';
import type { Context } from '../console/context.ts';

/** The options of commands that fetch from a static registry. */
export const registryOptions = {
  registry: { type: 'string', describe: 'A static registry to fetch from: an https://, http:// or file:// address' },
  concurrency: { type: 'number', describe: 'How many chunks to fetch from the registry at once, from 1 to 16 [4]' },
} as const satisfies ArgumentSpecs;

/** The static registry that a person named, as a provider; undefined when none is named. */
export async function registryProvider(
  context: Context,
  { registry: url, concurrency }: ValuesOf<typeof registryOptions>,
): Promise<StaticProvider | undefined> {
  if (url === undefined) {
    if (concurrency === undefined) return undefined;
    throw new ModelRtcError('bad_argument', '--concurrency is for a registry. Pass --registry URL as well.');
  }
  const { openStaticRegistry, StaticProvider } = await import('@model-rtc/static-registry');
  const models = await context.registry();
  return new StaticProvider({
    registry: openStaticRegistry({
      url,
      env: context.runtime.env,
      cacheFolder: join(context.home, 'registries'),
    }),
    concurrency,
    digestHere: async (manifest) => (await models.findByManifest(manifest))?.digest,
  });
}
