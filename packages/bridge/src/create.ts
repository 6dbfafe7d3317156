import { OwnModels } from '@model-rtc/mesh';
import { type Log, ModelRtcError, silentLog } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { createPartialModels } from '@model-rtc/transfer';
import { createCatalogApi } from './catalog/create.ts';
import { createFiles } from './files.ts';
import { sendText } from './http/json.ts';
import { notFound, requireMethod } from './http/problems.ts';
import { startHttpServer } from './http/server.ts';
import type { Api } from './http/types.ts';
import { createHubApi } from './hugging-face/create.ts';
import { MAX_LOOKUPS_A_MINUTE, MAX_PULLS_A_MINUTE } from './limits.ts';
import { type BridgeMetrics, createMetrics } from './metrics.ts';
import { createCatalog } from './models/catalog.ts';
import { createContents } from './models/contents.ts';
import { createPulls } from './models/pulls.ts';
import { createRateLimit } from './models/rate-limit.ts';
import { createOciApi } from './oci/create.ts';
import { createModelsApi } from './openai/create.ts';
import type { OwnNode, RemoteModels } from './types.ts';

export interface BridgeOptions {
  readonly registry: Registry;
  /** The models that others have; this machine's alone when left out. */
  readonly remote?: RemoteModels | undefined;
  /** This machine, as `/v1/catalog` names it. */
  readonly self?: OwnNode | undefined;
  /** 0 for any that is free. */
  readonly port: number;
  /** The address to listen at; 127.0.0.1 when left out. */
  readonly host?: string | undefined;
  /** What clients must show as a bearer token. Needed for an address that other machines reach. */
  readonly token?: string | undefined;
  readonly log?: Log | undefined;
}

export interface RunningBridge extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Whether only programs of this machine reach it. */
  readonly isLoopback: boolean;
  /** Cuts what is being sent, ends the pulls that requests started, and keeps what they have. */
  close(): Promise<void>;
}

const DEFAULT_HOST = '127.0.0.1';

/**
 * Serves this machine's models over HTTP, and those of others as they are asked for.
 * @throws ModelRtcError `bad_argument` for an address that other machines reach without a token; `network` when the port is taken
 */
export async function startBridge(options: BridgeOptions): Promise<RunningBridge> {
  const { registry, remote, self, host = DEFAULT_HOST, token, log = silentLog } = options;
  const isLoopback = isLoopbackAddress(host);
  if (!isLoopback && token === undefined) throw tokenNeeded(host);
  const nowMs = () => performance.now();
  const partials = createPartialModels(registry.paths.staging);
  const lookups = createRateLimit(MAX_LOOKUPS_A_MINUTE, nowMs);
  const pulls =
    remote === undefined
      ? undefined
      : createPulls({
          ...{ remote, log, rate: createRateLimit(MAX_PULLS_A_MINUTE, nowMs) },
          onEnd: (outcome) => metrics.pulled(outcome),
        });
  const ownModels = new OwnModels(registry);
  const catalog = createCatalog({ registry, remote, nowMs, log });
  const contents = createContents({ registry, partials, remote, beforeAsking: () => requireRoom(lookups.take()) });
  const pull = pulls === undefined ? undefined : pulls.start;
  const files = createFiles({ registry, partials, contents, pull, onSent: (bytes) => metrics.sent(bytes), nowMs });
  const metrics: BridgeMetrics = createMetrics({
    connections: () => server.connections(),
    downloads: () => files.sending,
    pulls: () => pulls?.running ?? 0,
  });
  const apis = {
    models: createModelsApi({ catalog, files }),
    hub: createHubApi(catalog, files),
    oci: createOciApi(catalog, files),
    catalog: createCatalogApi({ own: () => ownModels.current(), self, remote, nowMs }),
  };
  const own = { health: healthApi(), metrics: metricsApi(metrics), none: noApi() };
  const server = await startHttpServer({
    ...{ host, port: options.port, guard: { token, isLoopback }, log },
    route: (path) => ({ api: chooseApi(path, { ...apis, ...own }), isOpen: path[0] === 'health' }),
    onAnswered: metrics.answered,
  });
  const close = async (): Promise<void> => {
    await server.close();
    await pulls?.close();
  };
  const shown = host.includes(':') ? `[${host}]` : host;
  const url = `http://${shown}:${server.port}`;
  return { url, port: server.port, isLoopback, close, [Symbol.asyncDispose]: close };
}

type Apis = Readonly<Record<'models' | 'catalog' | 'hub' | 'oci' | 'health' | 'metrics' | 'none', Api>>;

function chooseApi([first, second]: readonly string[], apis: Apis): Api {
  if (first === 'v1' && second === 'models') return apis.models;
  if (first === 'v1' && second === 'catalog') return apis.catalog;
  if (first === 'hf') return apis.hub;
  if (first === 'v2') return apis.oci;
  if (first === 'health' && second === undefined) return apis.health;
  return first === 'metrics' && second === undefined ? apis.metrics : apis.none;
}

/** Tells that it runs, and nothing about this machine: it is answered without a token. */
function healthApi(): Api {
  return plainApi('health', async (asked) =>
    sendText(asked, 200, '{"status":"ok"}\n', { 'content-type': 'application/json' }),
  );
}

function metricsApi(metrics: BridgeMetrics): Api {
  return plainApi('metrics', async (asked) =>
    sendText(asked, 200, await metrics.text(), { 'content-type': metrics.contentType }),
  );
}

function noApi(): Api {
  return plainApi('none', async () => {
    throw notFound('Nothing is here. See /v1/models, /v1/catalog, /hf, /v2/, /health and /metrics.');
  });
}

function plainApi(name: string, answer: Api['answer']): Api {
  return {
    name,
    async answer(asked) {
      requireMethod(asked.method, ['GET', 'HEAD']);
      await answer(asked);
    },
    describe: ({ message, code }) => ({ body: { error: { message, code } } }),
  };
}

function requireRoom(waitMs: number): void {
  if (waitMs === 0) return;
  const sentence = 'Too many models of other machines were asked for. Ask again in a moment.';
  throw new ModelRtcError('busy', sentence, { details: { retryAfterMs: waitMs } });
}

function isLoopbackAddress(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

function tokenNeeded(host: string): ModelRtcError {
  const sentence = `Other machines can reach ${host}, so the HTTP bridge needs a token there. Add --http-token-file FILE; the file is made if it does not exist.`;
  return new ModelRtcError('bad_argument', sentence);
}
