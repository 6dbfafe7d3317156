import { EnvHttpProxyAgent, fetch } from 'undici';
import { CONNECT_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_CONNECTIONS } from './limits.ts';
import type { Fetch } from './types.ts';

export interface NodeFetchOptions {
  /** Where proxies are named (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, in either case): the caller's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** `fetch` for Node that keeps connections open for the next request, and goes through the environment's proxies. */
export function createNodeFetch({ env = {} }: NodeFetchOptions = {}): Fetch {
  const dispatcher = new EnvHttpProxyAgent({
    // An empty text says that there is none; left out, undici would read this process's own environment.
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // Each request has its own limits, with sentences that name the host.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return async (url, init) => await fetch(url, { ...init, dispatcher });
}
