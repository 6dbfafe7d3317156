import {
  decodeMessage,
  encodeMessage,
  type Hello,
  type Log,
  type Manifest,
  type ManifestFile,
  type Message,
  type ModelEntry,
} from '@model-rtc/protocol';

import {
  type Authority,
  type CreatePeerOptions,
  createMemoryLanes,
  createPeer,
  type Handlers,
  type Lane,
  type MemoryLaneOptions,
  type Peer,
} from '../../../src/index.ts';

export const ALL: Authority = { scopes: ['read', 'write', 'track'] };
export const DIGEST = 'ab'.repeat(32) as ModelEntry['digest'] & string;

export const ENTRY: ModelEntry = {
  id: 'abababab',
  digest: DIGEST,
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

export const INFO = { entry: ENTRY, resolvedBy: 'alias' } as const;

export const MANIFEST_FILE: ManifestFile = { path: 'a' as ManifestFile['path'], size: 3, sha256: DIGEST };
export const MANIFEST: Manifest = {
  version: 1,
  files: [MANIFEST_FILE],
  chunker: 'c',
  chunks: [{ digest: DIGEST, size: 3 }],
};
export const PUSH = { manifest: MANIFEST, entry: ENTRY };

/** A log whose entries a test can look at. */
export function keepingLog(): Log & { readonly entries: { level: string; message: string; fields: object }[] } {
  const entries: { level: string; message: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) => void entries.push({ level, message, fields });
  return { entries, debug: at('debug'), info: at('info'), warn: at('warn') };
}

type Side = Partial<Omit<CreatePeerOptions, 'lane' | 'hello'>>;

/** A client and a worker over a memory lane. */
export async function connectedPeers(
  options: { client?: Side; worker?: Side; lanes?: MemoryLaneOptions } = {},
): Promise<{ client: Peer; worker: Peer; lanes: ReturnType<typeof createMemoryLanes> }> {
  const lanes = createMemoryLanes(options.lanes);
  const [client, worker] = await Promise.all([
    createPeer({
      lane: lanes[0],
      hello: { role: 'client', name: 'laptop', version: '1.2.3' },
      authority: { scopes: ['read'] },
      handlers: {},
      ...options.client,
    }),
    createPeer({
      lane: lanes[1],
      hello: { role: 'worker', name: 'gpu-box', version: '1.2.3' },
      authority: ALL,
      handlers: {},
      ...options.worker,
    }),
  ]);
  return { client, worker, lanes };
}

export const HELLO: Hello = {
  type: 'hello',
  protocol: { major: 1, minor: 0 },
  agent: { role: 'client', name: 'raw', version: '0' },
  capabilities: [],
  limits: { maxMessageBytes: 1024 * 1024, maxOpenRequests: 8 },
};

/** The other end of a peer, spoken by hand. */
export interface RawSide {
  readonly lane: Lane;
  say(message: Message): Promise<void>;
  /** The next message that is not a ping or a frame; undefined at the end. */
  hear(): Promise<Message | undefined>;
}

export async function rawAgainstPeer(
  side: Side & { handlers?: Handlers; lanes?: MemoryLaneOptions; hello?: Partial<Hello> } = {},
): Promise<{ raw: RawSide; peer: Peer }> {
  const { lanes: laneOptions, hello, ...peerSide } = side;
  const lanes = createMemoryLanes(laneOptions);
  const raw = rawSide(lanes[0]);
  const creating = createPeer({
    lane: lanes[1],
    hello: { role: 'worker', name: 'gpu-box', version: '1.2.3' },
    authority: ALL,
    handlers: {},
    ...peerSide,
  });
  await raw.say({ ...HELLO, ...hello });
  await raw.hear();
  return { raw, peer: await creating };
}

export function rawSide(lane: Lane): RawSide {
  const incoming = lane.messages[Symbol.asyncIterator]();
  return {
    lane,
    say: (message) => lane.send(encodeMessage(message)),
    async hear() {
      for (;;) {
        const { value } = await incoming.next();
        if (value === undefined) return undefined;
        if (value[0] === 0xc1) continue;
        const message = decodeMessage(value);
        if (message.type !== 'ping') return message;
      }
    },
  };
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it did not fail');
}

/** A promise, and what resolves it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
