import { join } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';

export type Environment = Readonly<Record<string, string | undefined>>;

export const PUBLIC_ENDPOINT = 'https://huggingface.co';

/** What the environment says about hubs, in the words of the hub's own tools. */
export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly isOffline: boolean;
  /** A token in the environment. */
  readonly token: string | undefined;
  /** Where the hub's own tools keep the token of a person who logged in. */
  readonly tokenPath: string | undefined;
  /** Where they keep downloaded models. */
  readonly cacheFolders: readonly string[];
}

/**
 * Reads the variables that the hub's own tools read.
 * Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 * @throws ModelRtcError `bad_argument` for an endpoint that is no address
 */
export function hubSettings(env: Environment): HubSettings {
  const mayUseToken = !isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN);
  const home = hubHome(env);
  return {
    endpoint: endpointOf(env.HF_ENDPOINT),
    cacheFolders: hubCacheFolders(env),
    isOffline: isOn(env.HF_HUB_OFFLINE),
    token: mayUseToken ? env.HF_TOKEN?.trim() || env.HUGGING_FACE_HUB_TOKEN?.trim() || undefined : undefined,
    tokenPath: mayUseToken ? env.HF_TOKEN_PATH || (home === undefined ? undefined : join(home, 'token')) : undefined,
  };
}

/** Where the hub's own tools keep downloaded models, in the order in which they look. */
function hubCacheFolders(env: Environment): string[] {
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (named) return [named];
  const home = hubHome(env);
  return home === undefined ? [] : [join(home, 'hub')];
}

function hubHome(env: Environment): string | undefined {
  if (env.HF_HOME) return env.HF_HOME;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'huggingface');
  const userHome = env.HOME || env.USERPROFILE;
  return userHome ? join(userHome, '.cache', 'huggingface') : undefined;
}

function endpointOf(given: string | undefined): string {
  if (!given) return PUBLIC_ENDPOINT;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    const sentence =
      'HF_ENDPOINT is not the address of a hub. Set it to an address like https://hub.example.org, or unset it.';
    throw new ModelRtcError('bad_argument', sentence);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(1|on|yes|true)$/i.test(value);
}
