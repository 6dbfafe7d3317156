/**
 * A worker or a client in a process of its own, since real WebRTC does not get along with jest's workers:
 * `session-process.ts`. It does what its parent orders, and ends when the parent lets go of it.
 */
import {
  identityFromSeed,
  type Log,
  type ModelEntry,
  ModelRtcError,
  parseSessionToken,
  type Scope,
} from '@model-rtc/protocol';
import { joinAsWorker } from '@model-rtc/signaling';
import {
  type Acceptor,
  acceptSessions,
  type ConnectState,
  connectToSession,
  type EngineChoice,
  type LaneChoice,
  type LaneInfo,
  listenDirect,
  type Peer,
} from '../../../src/index.ts';

export interface IssuedToken {
  readonly keyId: string;
  readonly secret: string;
  readonly scopes: readonly Scope[];
  /** What the worker says when it is used. */
  readonly refuse?: 'token_revoked' | 'token_expired' | undefined;
}

export type Order =
  | {
      readonly do: 'work';
      readonly seed: number;
      readonly urls: string[];
      readonly engine: EngineChoice;
      readonly tokens: IssuedToken[];
      /** Whether it takes direct connections. */
      readonly direct?: boolean;
    }
  | { readonly do: 'revoke'; readonly keyId: string }
  | { readonly do: 'count' }
  | {
      readonly do: 'connect';
      readonly token: string;
      readonly engine: EngineChoice;
      readonly lane?: LaneChoice;
      readonly timeoutMs?: number;
      readonly waitForWorker?: boolean;
    }
  | { readonly do: 'ask' }
  | { readonly do: 'push' }
  | { readonly do: 'lanes' }
  /** Breaks off all lanes of this kind. */
  | { readonly do: 'cut'; readonly kind: string }
  | { readonly do: 'closed' }
  | { readonly do: 'close' };

export interface Report {
  readonly id: number;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly value?: unknown;
}

export interface Connected {
  readonly states: readonly ConnectState[];
  readonly lanes: readonly LaneInfo[];
  readonly worker: string;
}

const ENTRY: ModelEntry = {
  id: 'abababab',
  modelType: 'gguf',
  source: 'local-import',
  status: 'completed',
  size: 3,
  fileCount: 1,
  metrics: {},
  hyperparameters: {},
  versions: {},
  tags: [],
};

let acceptor: Acceptor | undefined;
let peer: Peer | undefined;
const revoked = new Set<string>();
const refusals: string[] = [];

function noteRefusal(fields: object, message: string): void {
  const { reason } = fields as { readonly reason?: unknown };
  if (message === `A client was refused, and told: ${reason}`) refusals.push(String(reason));
}
/** Warned of or not, as often as it happens. */
const log: Log = { debug: noteRefusal, info() {}, warn: noteRefusal };

async function work(order: Extract<Order, { do: 'work' }>): Promise<void> {
  const identity = identityFromSeed(new Uint8Array(32).fill(order.seed));
  const post = joinAsWorker({ urls: order.urls, identity });
  acceptor = acceptSessions({
    registration: post,
    identity,
    engine: order.engine,
    direct: order.direct === true ? await listenDirect() : undefined,
    agent: { name: `worker ${order.seed}`, version: '1' },
    authorize: (keyId) => {
      const token = order.tokens.find((issued) => issued.keyId === keyId);
      if (token === undefined) return undefined;
      if (token.refuse !== undefined) return { refuse: new ModelRtcError(token.refuse, 'Good no more.') };
      const check = () => {
        if (revoked.has(keyId)) throw new ModelRtcError('token_revoked', 'This session was revoked.');
      };
      return { secret: Buffer.from(token.secret, 'hex'), authority: { scopes: token.scopes, keyId, check } };
    },
    handlers: () => ({ get_model_info: async () => ({ entry: ENTRY, resolvedBy: 'id' }) }),
    log,
  });
  await acceptor.ready;
  await post.whenOnline();
}

async function connect(order: Extract<Order, { do: 'connect' }>): Promise<Connected> {
  const states: ConnectState[] = [];
  peer = await connectToSession({
    token: parseSessionToken(order.token),
    agent: { name: 'client', version: '1' },
    engine: order.engine,
    lane: order.lane,
    timeoutMs: order.timeoutMs ?? 30_000,
    waitForWorker: order.waitForWorker,
    onState: (state) => states.push(state),
  });
  return { states, lanes: peer.lanes, worker: peer.remote.agent.name };
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'work':
      return await work(order);
    case 'revoke':
      return void revoked.add(order.keyId);
    case 'count':
      return { peers: acceptor?.peers().length, refusals };
    case 'connect':
      return await connect(order);
    case 'ask':
      return (await peer?.request('get_model_info', { ref: 'a' }))?.entry.id;
    case 'push':
      return await peer?.request('push_model', {
        manifest: {
          version: 1,
          files: [{ path: 'a', size: 0, sha256: '0'.repeat(64) }],
          chunker: 'c',
          chunks: [],
        },
        entry: ENTRY,
      });
    case 'lanes':
      return peer?.lanes;
    case 'cut':
      for (const lane of peer?.openLanes() ?? []) {
        if (lane.kind === order.kind) lane.abort(new ModelRtcError('network', 'The cable was pulled.'));
      }
      return undefined;
    case 'closed':
      return (await peer?.closed)?.code;
    case 'close':
      await peer?.close();
      return await acceptor?.close();
  }
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  obey(order).then(
    (value) => process.send?.({ id, value } satisfies Report),
    (error: unknown) => {
      const { code, message } = ModelRtcError.from(error);
      process.send?.({ id, error: { code, message } } satisfies Report);
    },
  );
});
process.on('disconnect', () => process.exit());
