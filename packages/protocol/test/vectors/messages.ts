import {
  CATALOG_VERSION,
  type ExchangeMessage,
  encodeExchange,
  encodeMessage,
  MAX_NESTING,
  type Message,
  type Method,
  PROTOCOL_VERSION,
  packValue,
} from '../../src/index.ts';
import { counting, toHex } from './bytes.ts';

const digest = 'ab'.repeat(32);
const chunk = 'cd'.repeat(32);
const manifest = {
  version: 1,
  files: [
    { path: 'config.json', size: 2, sha256: digest, mode: 0o644 },
    { path: 'caf\u00e9/model.safetensors', size: 1_048_578, sha256: chunk },
  ],
  chunker: 'structure-1',
  chunks: [
    { digest, size: 2 },
    { digest: chunk, size: 1_048_576 },
    { digest, size: 2 },
  ],
};
const entry = {
  id: 'abababab',
  digest,
  modelType: 'centered_instance',
  framework: 'sleap-nn',
  source: 'local-import',
  status: 'completed',
  createdAt: '2026-01-02T03:04:05.678Z',
  size: 1_048_580,
  fileCount: 2,
  metrics: { best_val_loss: 0.00123, epochs: 200, note: null },
  hyperparameters: { learning_rate: 1e-4, augment: true },
  versions: { torch: '2.6.0' },
  tags: ['mouse'],
};

/** What an agent found when it looked at its own copy of the files. */
const codeFiles = [{ path: 'best.ckpt', suspicious: ['os.system'] }];

const fromHub = {
  hub: { repo: 'org/mouse-0.5', commit: '1f'.repeat(20), revision: 'main' },
  parameters: 494_032_768,
  warnings: ['The optimizer was left out.'],
  components: { weights: 'present', config: 'present', tokenizer: 'missing' },
};

const catalogModel = {
  ...{ id: 'org/mouse-0.5', name: 'Mouse', path: 'models/centered_instance_abababab', format: 'safetensors' },
  ...{ size_gb: 0.00104858, architecture: 'centered_instance', downloaded: true, backends: ['cpu', 'cuda'] },
  metadata: { registry_id: 'abababab', digest, status: 'completed', source: 'hub', repo: 'org/mouse-0.5', files: 2 },
};
const planned = {
  ...{ id: 'org/planned', name: 'Planned', path: null, format: null, size_gb: null, architecture: 'qwen2' },
  ...{ downloaded: false, backends: [], metadata: { repo: 'org/planned', revision: 'main' } },
};

const data = { digest: chunk, name: 'clip 1.mp4', form: 'file' };
const job = {
  id: 'k3v9x2m4q7w1',
  state: 'completed',
  runner: 'sleap-nn',
  models: [{ digest, id: 'abababab', alias: 'good-mouse-v1', checkpoint: 'best.ckpt' }],
  data: [data],
  settings: { batch: 4, peaks: 0.2, gpu: true },
  createdAt: '2026-01-02T03:04:05.678Z',
  startedAt: '2026-01-02T03:04:06.000Z',
  endedAt: '2026-01-02T03:05:06.000Z',
  progress: { fraction: 1, text: '100%' },
  usage: { cpuSeconds: 55.5, memoryBytes: 2 ** 31 },
  exit: { code: 0 },
  results: { digest, fileCount: 2, bytes: 1_048_580, form: 'folder', expiresAt: '2026-01-09T03:05:06.000Z' },
  lastEvent: 7,
};
const runner = {
  name: 'sleap-nn',
  origin: 'preset',
  types: ['centroid', 'centered_instance'],
  inputs: ['.mp4'],
  set: { batch: { type: 'integer', min: 1, max: 64, default: 4 } },
  resumes: false,
  allowsUnsafeModels: false,
  usable: false,
  reason: 'There is no program sleap-nn on this machine.',
};

const requests: Record<Method, { params: unknown; result: unknown }> = {
  list_models: {
    params: { filters: { type: 'gguf', alias: 'good-*' }, sort: 'date', limit: 50 },
    result: { models: [entry], total: 1 },
  },
  get_model_info: {
    params: { ref: 'good-mouse-v1' },
    result: {
      entry: { ...entry, name: 'Mouse, top view, second camera', codeFiles, ...fromHub },
      resolvedBy: 'alias',
      resumeCommand: 'sleap-nn train --config training_config.yaml',
    },
  },
  check_model_exists: {
    params: { ref: 'abababab' },
    result: { exists: true, entry, valid: false, problems: [{ path: 'config.json', problem: 'it is gone' }] },
  },
  get_manifest: { params: { digest }, result: { manifest } },
  follow_chunks: { params: { digest, list: chunk }, result: { whole: true } },
  get_chunks: {
    params: {
      digest,
      chunks: [
        { index: 0, digest },
        { index: 1, digest: chunk },
      ],
      encodings: ['planes-zstd-1'],
    },
    result: { missing: [1] },
  },
  push_model: {
    params: { manifest, entry, alias: 'good-mouse-v1', ifExists: 'skip', aliasConflict: 'rename', fromHub: true },
    result: {
      ...{ entry, outcome: 'installed', transferredBytes: 1_048_578, reusedBytes: 2, resumedBytes: 0 },
      hubBytes: 1_048_576,
    },
  },
  plan_push: {
    params: { manifest },
    result: { transferBytes: 2 ** 33, reusedBytes: 2, resumedBytes: 0, exists: false },
  },
  report_installed: { params: { digest, alias: 'good-mouse-v1' }, result: {} },
  list_catalog: {
    params: { cursor: 'b3JnL20', limit: 50 },
    result: {
      ...{ version: CATALOG_VERSION, pool_id: digest, updated_at: '2026-01-02T03:04:05.678Z' },
      models: [catalogModel, { ...catalogModel, ...planned }],
      total: 2,
    },
  },
  register_model: {
    params: { id: 'org/planned', name: 'Planned', repo: 'org/planned', revision: 'main', architecture: 'qwen2' },
    result: { model: { ...catalogModel, ...planned } },
  },
  unregister_model: { params: { id: 'org/planned' }, result: { model: { ...catalogModel, ...planned } } },
  fetch_model: { params: { id: 'org/mouse-0.5', acceptLicense: true }, result: { model: catalogModel } },
  list_runners: { params: {}, result: { runners: [runner] } },
  check_data: { params: { digests: [digest, chunk] }, result: { missing: [chunk] } },
  push_data: {
    params: { manifest },
    result: { digest, outcome: 'stored', transferredBytes: 1_048_580, reusedBytes: 0, resumedBytes: 0 },
  },
  submit_job: {
    params: { models: [digest], data: [data], runner: 'sleap-nn', settings: { batch: '4' }, again: '1a2b3c4d5e6f' },
    result: { job: { ...job, state: 'queued', position: 2 }, outcome: 'queued' },
  },
  list_jobs: { params: { states: ['queued', 'running'], limit: 50 }, result: { jobs: [job], total: 1 } },
  get_job: { params: { id: job.id }, result: { job } },
  follow_job: { params: { id: job.id, fromEvent: 5 }, result: { job } },
  report_fetched: { params: { id: job.id }, result: {} },
  mesh_gossip: {
    params: {
      records: [],
      have: [
        { name: 'roster', order: 4 },
        { name: `model_catalog/${'5f'.repeat(32)}`, order: 7, beat: 12 },
      ],
      sentAt: 1_772_000_000_000,
    },
    result: { records: [], want: ['roster'], sentAt: 1_772_000_000_250 },
  },
  mesh_fetch: { params: { parts: [digest] }, result: { parts: [] } },
  cancel_job: { params: { id: job.id }, result: { job: { ...job, state: 'cancelled', exit: { signal: 'SIGTERM' } } } },
  get_results: {
    params: { id: job.id },
    result: { form: 'folder', manifest, emptyFolders: ['plots'] },
  },
};

const accepted: [string, Message][] = [
  [
    'hello',
    {
      type: 'hello',
      protocol: { ...PROTOCOL_VERSION },
      agent: { role: 'worker', name: 'lab-gpu', version: '0.1.0' },
      capabilities: ['example'],
      limits: { maxMessageBytes: 33_554_432, maxOpenRequests: 64 },
    },
  ],
  ...Object.entries(requests).flatMap(([method, { params, result }], i): [string, Message][] => [
    [`request ${method}`, { type: 'request', id: i + 1, method, params }],
    [`reply to ${method}`, { type: 'reply', id: i + 1, result }],
  ]),
  [
    'error',
    {
      type: 'error',
      id: 4_294_967_295,
      error: { code: 'not_found', message: 'No model is called "x".', details: { ref: 'x' } },
    },
  ],
  [
    'event of a push',
    {
      type: 'event',
      id: 6,
      event: {
        type: 'progress',
        state: 'transferring',
        doneBytes: 2 ** 40,
        totalBytes: 2 ** 41,
        reusedBytes: 0,
        resumedBytes: 5,
      },
    },
  ],
  [
    'event of a push that waits',
    {
      type: 'event',
      id: 7,
      event: {
        type: 'progress',
        state: 'preparing',
        reason: 'waiting_for_lock',
        doneBytes: 0,
        totalBytes: 9,
        reusedBytes: 0,
        resumedBytes: 0,
      },
    },
  ],
  [
    'event of a job that is followed',
    {
      type: 'event',
      id: 29,
      event: {
        events: [
          { type: 'log', number: 5, at: '2026-01-02T03:04:07.000Z', stream: 'stdout', text: 'frame 1 of 2' },
          { type: 'progress', number: 6, at: '2026-01-02T03:04:07.000Z', fraction: 0.5 },
          { type: 'state', number: 7, at: '2026-01-02T03:05:06.000Z', state: 'completed', exit: { code: 0 } },
        ],
      },
    },
  ],
  ['request that is repeated', { type: 'request', id: 7, method: 'get_manifest', params: { digest }, again: true }],
  ['exchange', { type: 'exchange', message: { type: 'direct_ask', lane: 3 } }],
  ['cancel', { type: 'cancel', id: 6 }],
  ['ping', { type: 'ping', nonce: 7 }],
  ['pong', { type: 'pong', nonce: 7 }],
  ['bye', { type: 'bye' }],
  ['bye with a reason', { type: 'bye', error: { code: 'token_revoked', message: 'The session token was revoked.' } }],
];

const exchanges: [string, ExchangeMessage][] = [
  ['offer', { type: 'offer', lane: 0, engine: 'werift', sdp: 'v=0\r\n' }],
  ['answer', { type: 'answer', lane: 0, sdp: 'v=0\r\n' }],
  [
    'candidate',
    { type: 'candidate', lane: 0, candidate: 'candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host', mid: '0' },
  ],
  ['direct_ask', { type: 'direct_ask', lane: 1 }],
  [
    'direct_offer',
    {
      type: 'direct_offer',
      lane: 1,
      addresses: [
        { host: '192.0.2.7', port: 40_000 },
        { host: '2001:db8::7', port: 40_000 },
      ],
      certificate: counting(32),
      token: counting(32, 0x40),
    },
  ],
  ['relay_ask', { type: 'relay_ask', lane: 2, meeting: counting(16), publicKey: counting(32, 0x80) }],
  ['relay_offer', { type: 'relay_offer', lane: 2, publicKey: counting(32, 0xa0) }],
  ['unavailable', { type: 'unavailable', lane: 1, message: 'This worker takes no direct connections.' }],
  [
    'request in one piece',
    {
      type: 'request',
      lane: 3,
      bytes: encodeMessage({ type: 'request', id: 3, method: 'mesh_fetch', params: { parts: [digest] } }),
    },
  ],
  ['reply with more to follow', { type: 'reply', lane: 3, bytes: counting(8), more: true }],
  [
    'refuse',
    { type: 'refuse', error: { code: 'busy', message: 'The worker has no room for another client; try later.' } },
  ],
];

const hex = (text: string) => text.replaceAll(' ', '');
const ping = '82 a474797065 a470696e67 a56e6f6e6365';

/** Other encodings of the same values, which a reader takes as well. */
const acceptedToo: [string, string, Message][] = [
  ['an integer as uint 64', `${ping} cf0000000000000007`, { type: 'ping', nonce: 7 }],
  ['an integer as int 64', `${ping} d30000000000000007`, { type: 'ping', nonce: 7 }],
  ['an integer as float 64', `${ping} cb401c000000000000`, { type: 'ping', nonce: 7 }],
  ['an integer as float 32', `${ping} ca40e00000`, { type: 'ping', nonce: 7 }],
  ['long heads', 'df00000002 db0000000474797065 da000470696e67 d9056e6f6e6365 ce00000007', { type: 'ping', nonce: 7 }],
  ['an unknown field', '83 a474797065 a470696e67 a56e6f6e6365 07 a178 c0', { type: 'ping', nonce: 7 }],
];

const refused: [string, string][] = [
  ['nothing', ''],
  ['nil', 'c0'],
  ['an array', '90'],
  ['no type', '80'],
  ['an unknown type', toHex(packValue({ type: 'pinge', nonce: 1 }))],
  ['a field is missing', '81 a474797065 a470696e67'],
  ['a field of another type', `${ping} a137`],
  ['an integer that is too large', `${ping} cf0000000100000000`],
  ['an integer that no double holds', `${ping} cf0020000000000000`],
  ['a negative integer that no double holds', `${ping} d3ffe0000000000000`],
  ['a fraction', `${ping} cb3ff8000000000000`],
  ['cut off', ping],
  ['a byte follows', `${ping} 07 c0`],
  ['a key twice', '83 a474797065 a470696e67 a56e6f6e6365 07 a56e6f6e6365 08'],
  ['a key twice, in two encodings', '83 a474797065 a470696e67 a56e6f6e6365 07 d9056e6f6e6365 08'],
  ['a key that is no string', '83 a474797065 a470696e67 a56e6f6e6365 07 01 01'],
  ['the key __proto__', '83 a474797065 a470696e67 a56e6f6e6365 07 a95f5f70726f746f5f5f 80'],
  ['a string that is not UTF-8', '83 a474797065 a470696e67 a56e6f6e6365 07 a178 a2c328'],
  ['an extension', '83 a474797065 a470696e67 a56e6f6e6365 07 a178 d40000'],
  ['a timestamp', '83 a474797065 a470696e67 a56e6f6e6365 07 a178 d6ff00000000'],
  ['a record of msgpackr', 'd47240 91a474797065 a470696e67'],
  ['the byte of frames', '81 a474797065 c1'],
  ['an array of 2^32 - 1 items', '81 a474797065 ddffffffff'],
  ['a map of 2^32 - 1 entries', 'dfffffffff'],
  ['a string of 2^32 - 1 bytes', '81 a474797065 dbffffffff'],
  ['a binary of 2^32 - 1 bytes', '81 a474797065 c6ffffffff'],
  ['nested too deeply', `83 a474797065 a470696e67 a56e6f6e6365 07 a178 ${'91'.repeat(MAX_NESTING)} c0`],
];

/** JSON has no binaries: `{hex}` stands for one. */
export function withHex(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: toHex(value) };
  if (Array.isArray(value)) return value.map(withHex);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withHex(inner)]));
}

export function messageVectors() {
  return {
    description:
      'Messages as hex. "accepted" gives the bytes that our encoder writes; "acceptedToo" other bytes that every reader ' +
      'takes for the message. Each of "refused" must be refused. "exchange" is what is inside the sealed exchange.',
    accepted: accepted.map(([name, message]) => ({ name, message, bytes: toHex(encodeMessage(message)) })),
    acceptedToo: acceptedToo.map(([name, bytes, message]) => ({ name, message, bytes: hex(bytes) })),
    refused: refused.map(([name, bytes]) => ({ name, bytes: hex(bytes) })),
    values: [
      { name: 'a binary', value: { hex: toHex(counting(3)) }, bytes: toHex(packValue(counting(3))) },
      { name: 'the largest integer', value: Number.MAX_SAFE_INTEGER, bytes: toHex(packValue(Number.MAX_SAFE_INTEGER)) },
      { name: 'a string beyond ASCII', value: 'caf\u00e9 \u{1f42d}', bytes: toHex(packValue('caf\u00e9 \u{1f42d}')) },
    ],
    exchange: exchanges.map(([name, message]) => {
      return { name, message: withHex(message), bytes: toHex(encodeExchange(message)) };
    }),
  };
}
