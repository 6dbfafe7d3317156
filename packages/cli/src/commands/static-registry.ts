import { join } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { StaticProvider } from '@model-rtc/static-registry';
import { type ArgumentSpecs, textOption, type ValuesOf } from '../command-line/types.ts';
import type { Context } from '../console/context.ts';
import { asSet } from './options.ts';

/** The options of commands that fetch from a static registry. */
export const registryOptions = {
  registry: textOption('A static registry to fetch from: an https://, http://, file:// or s3:// address'),
  concurrency: { type: 'number', describe: 'How many chunks to fetch from the registry at once, from 1 to 16 [4]' },
  'trust-key': textOption(
    "The key of the registry's publisher, or @FILE: pins it, so that only what it signed is taken from there",
    { env: 'MODEL_RTC_TRUST_KEY', coerce: asSet },
  ),
} as const satisfies ArgumentSpecs;

/** The static registry that a person named, as a provider; undefined when none is named. */
export async function registryProvider(
  context: Context,
  { registry: url, concurrency, trustKey }: ValuesOf<typeof registryOptions>,
): Promise<StaticProvider | undefined> {
  if (url === undefined) {
    if (concurrency === undefined && (trustKey?.size ?? 0) === 0) return undefined;
    const option = concurrency === undefined ? '--trust-key' : '--concurrency';
    throw new ModelRtcError('bad_argument', `${option} is for a registry. Pass --registry URL as well.`);
  }
  const { givenPublicKeys, openStaticRegistry, openTrustedRegistries, StaticProvider } = await import(
    '@model-rtc/static-registry'
  );
  const pin = await givenPublicKeys(trustKey, context.runtime.env);
  const models = await context.registry();
  return new StaticProvider({
    registry: openStaticRegistry({
      url,
      env: context.runtime.env,
      trust: { registries: openTrustedRegistries(context.home), pin },
      cacheFolder: join(context.home, 'registries'),
    }),
    concurrency,
    digestHere: async (manifest) => (await models.findByManifest(manifest))?.digest,
  });
}
