import { createNodeFetch, type Fetch, type NodeFetchOptions } from '@model-rtc/http';
import { ModelRtcError, systemClock } from '@model-rtc/protocol';
import { isS3Address, parseS3Address } from './s3/address.ts';
import { createS3Store } from './s3/s3-store.ts';
import { checkList, type ListTrust } from './sign/check-list.ts';
import { StaticRegistry, type StaticRegistryOptions } from './static-registry.ts';
import { createFolderStore } from './store/folder-store.ts';
import { createHttpStore } from './store/http-store.ts';
import { createListCache } from './store/list-cache.ts';
import type { RegistryStore } from './store/types.ts';

export interface OpenStaticRegistryOptions
  extends Omit<StaticRegistryOptions, 'store' | 'cache'>,
    Pick<NodeFetchOptions, 'env'> {
  /** Whose lists are accepted; everybody's by default. In place of `checkList`. */
  readonly trust?: ListTrust | undefined;
  /** `https://...`, `http://...`, `file:///...`, or `s3://BUCKET/PREFIX` with the credentials of the environment. */
  readonly url: string;
  /** In place of Node's. */
  readonly fetch?: Fetch | undefined;
  /** Where the last list of each registry is kept; nowhere by default. */
  readonly cacheFolder?: string | undefined;
}

/** Opens a static registry to read from it; it is reached when it is first asked. @throws ModelRtcError `bad_argument` for a wrong address */
export function openStaticRegistry({
  url,
  fetch,
  env,
  cacheFolder,
  trust,
  ...options
}: OpenStaticRegistryOptions): StaticRegistry {
  const store = openStore(url, env, () => fetch ?? createNodeFetch({ env }));
  const { clock = systemClock, random = Math.random } = options;
  return new StaticRegistry({
    ...options,
    store,
    ...(trust && { checkList: (bytes, signal) => checkList(bytes, signal, { ...trust, store, clock, random }) }),
    cache: cacheFolder === undefined ? undefined : createListCache(cacheFolder),
  });
}

function openStore(url: string, env: NodeFetchOptions['env'], fetch: () => Fetch): RegistryStore {
  if (/^file:/i.test(url)) return createFolderStore(url);
  if (isS3Address(url)) return createS3Store(parseS3Address(url), { env });
  if (/^https?:\/\//i.test(url) && URL.canParse(url)) return createHttpStore({ url, fetch: fetch() });
  throw new ModelRtcError(
    'bad_argument',
    `"${url}" is not the address of a registry. It begins with https://, http://, file:// or s3://.`,
  );
}
