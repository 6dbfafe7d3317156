import type { LicenseToAccept } from '@model-rtc/client';
import { ModelRtcError, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { FetchFromHub } from '@model-rtc/worker';
import { agentLimits } from '../../console/agent-limits.ts';
import type { Context } from '../../console/context.ts';
import { hubFamilies } from '../../console/settings.ts';
import { storageCap } from '../../console/storage-cap.ts';
import { packageVersion } from '../../package.ts';

/** Fetches registered models when clients ask for it: without this machine's access token, since clients decide what is fetched. */
export function fetchForClients(context: Context, registry: Registry, safeOnly: boolean): FetchFromHub {
  const { runtime, home, log } = context;
  return async ({ repo, revision, acceptLicense, signal }) => {
    const { openHub } = await import('@model-rtc/hub');
    const { takeFromHub, WELL_KNOWN_FAMILIES } = await import('@model-rtc/client');
    const { entry } = await takeFromHub(
      {
        ...{ registry, limits: await agentLimits(home), log, clock: systemClock, random: Math.random },
        storage: await storageCap(context),
      },
      {
        hub: openHub({ env: runtime.env, isAnonymous: true }),
        reference: { repo, revision },
        families: await hubFamilies(home, WELL_KNOWN_FAMILIES),
        acceptLicense: async (license) => acceptLicense || refuseLicense(license),
        // A client takes no name from a model of the owner's.
        ifTaken: 'rename',
        validate: { version: packageVersion() },
        ...{ safeOnly, signal },
      },
    );
    return entry;
  };
}

/** Nobody can be asked here: the client learns what to read, and says so with its next request. */
function refuseLicense({ repo, text, page }: LicenseToAccept): never {
  const what = text === undefined ? `${repo} names no license, and that` : `${repo} has the license ${text}, which`;
  const sentence = `${what} was not accepted, so nothing was fetched. Look at ${page}, then pass --accept-license.`;
  throw new ModelRtcError('refused', sentence, { details: { repo } });
}
