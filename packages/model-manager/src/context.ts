import { join } from 'node:path';
import type { AgentLimits } from '@model-rtc/client';
import { type Clock, type Log, silentLog, systemClock } from '@model-rtc/protocol';
import { openRegistry, type Registry } from '@model-rtc/registry';
import {
  openStaticRegistry,
  openTrustedRegistries,
  parsePublicKey,
  type StaticRegistry,
  type TrustedRegistries,
} from '@model-rtc/static-registry';
import type { StorageCap } from '@model-rtc/transfer';
import { modelsDataFolder } from './data-folder.ts';
import { ModelManagerError } from './errors.ts';
import { type FollowedVersions, openFollowedVersions } from './followed-versions.ts';
import type { ModelManagerConfig, ModelManagerParts } from './types.ts';

/** What the operations of a manager share. */
export interface ManagerContext {
  /** The data folder. */
  readonly home: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: AgentLimits;
  readonly storage: StorageCap | undefined;
  readonly followed: FollowedVersions;
  /** Where proxies are named. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Pinned keys, and what was seen of their registries. */
  readonly trusted: TrustedRegistries;
  /** Whether keys are to be pinned, for which the registry has to be asked. */
  readonly pinsKeys: boolean;
  /** @throws ModelManagerError `invalid_reference` when no registry is configured, or its address is not one */
  remote(): StaticRegistry;
  /** Does work with this machine's registry, which is open only while some work needs it. */
  withRegistry<T>(work: (registry: Registry) => Promise<T>): Promise<T>;
}

/** Where copies of registries' lists are kept in a data folder. */
export function listsFolder(home: string): string {
  return join(home, 'registries');
}

export function createContext(config: ModelManagerConfig, parts: ModelManagerParts): ManagerContext {
  const { fetch, logger: log = silentLog, clock = systemClock, limits = {}, storage } = parts;
  const { env = process.env } = config;
  const home = config.dataDir ?? modelsDataFolder(config.appName);
  const trusted = openTrustedRegistries(home);
  let remote: StaticRegistry | undefined;
  return {
    home,
    log,
    clock,
    limits,
    storage,
    env,
    followed: openFollowedVersions(home),
    trusted,
    pinsKeys: (config.pinKeys ?? []).length > 0,
    remote() {
      const { registryUrl: url } = config;
      if (url === undefined || url === '') {
        throw new ModelManagerError(
          'invalid_reference',
          'bad_argument',
          'Which registry? Pass --registry URL, or set MODEL_RTC_REGISTRY_URL.',
        );
      }
      remote ??= openStaticRegistry({
        ...{ url, fetch, env, clock, cacheFolder: listsFolder(home) },
        trust: {
          registries: trusted,
          keys: config.trustKeys?.map(parsePublicKey),
          pin: config.pinKeys?.map(parsePublicKey),
        },
      });
      return remote;
    },
    withRegistry: sharedRegistry(() => openRegistry({ home, log })),
  };
}

/** Opens for the first of several users at once, and closes after the last: nobody has to close a manager. */
function sharedRegistry(open: () => Promise<Registry>): ManagerContext['withRegistry'] {
  let opening: Promise<Registry> | undefined;
  let users = 0;
  return async (work) => {
    users++;
    opening ??= open();
    const current = opening;
    try {
      return await work(await current);
    } finally {
      users--;
      if (users === 0 || opening !== current) {
        if (opening === current) opening = undefined;
        await current.then((registry) => registry.close()).catch(() => {});
      }
    }
  };
}
