import { type Dispatcher, EnvHttpProxyAgent, fetch, Pool } from 'undici';
import { BODY_GAP_MS, CONNECT_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_CONNECTIONS } from './limits.ts';
import type { Fetch } from './types.ts';

export interface NodeFetchOptions {
  /** Where proxies are named (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, in either case): the caller's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** `fetch` for Node that keeps connections open for the next request, and goes through the environment's proxies. */
export function createNodeFetch(options: NodeFetchOptions = {}): Fetch {
  // Each request has its own limits, with sentences that name the host.
  const dispatcher = createNodeDispatcher({ ...options, bodyGapMs: 0 });
  return async (url, init) => await fetch(url, { ...init, dispatcher });
}

/** What sends requests under `fetch`, for libraries that speak HTTP in a way of their own. */
export function createNodeDispatcher({
  env = {},
  bodyGapMs = BODY_GAP_MS,
}: NodeFetchOptions & {
  /** How long a body may take to bring its next bytes; 0 for ever. The caller limits the time before that. */
  readonly bodyGapMs?: number | undefined;
}): Dispatcher {
  return new EnvHttpProxyAgent({
    // An empty text says that there is none; left out, undici would read this process's own environment.
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
    clientFactory: proxyPool,
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: 0,
    bodyTimeout: bodyGapMs,
  });
}

/**
 * Connections to a proxy. undici takes a proxy that closes a connection without a word for a passing failure, and would connect
 * again and again, thousands of times a second, past every time limit; with a code of its own for it the request fails.
 */
function proxyPool(origin: URL, options: object): Dispatcher {
  const pool = new Pool(origin, options);
  const connect = pool.connect.bind(pool) as (options: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData>;
  const connectOnce = async (asked: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> => {
    try {
      return await connect(asked);
    } catch (error) {
      const { message } = error as Error;
      const failure = new Error(`the proxy ${origin.host} gave no connection: ${message}`, { cause: error });
      throw Object.assign(failure, { code: 'ECONNRESET' });
    }
  };
  return Object.assign(pool, { connect: connectOnce });
}
