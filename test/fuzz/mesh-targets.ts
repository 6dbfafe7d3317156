import { mkdtempSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METHODS, packValue, silentLog, unpackValue } from '@model-rtc/protocol';
import { CatalogBook, TwoNodesError } from '../../packages/mesh/src/core/catalog/catalog-book.ts';
import { readModels } from '../../packages/mesh/src/core/catalog/models.ts';
import { RecordSync } from '../../packages/mesh/src/core/gossip/record-sync.ts';
import {
  decodeRecord,
  Membership,
  parseInvite,
  parseWhere,
  queryNodes,
  type SignedRecord,
} from '../../packages/mesh/src/core/index.ts';
import { readRosterPart } from '../../packages/mesh/src/core/membership/roster.ts';
import { asksForService, sightingsIn } from '../../packages/mesh/src/node/mdns/records.ts';
import { namedAs } from '../../packages/mesh/src/node/records/record-names.ts';
import { joinedMeshes } from '../../packages/mesh/src/node/state/mesh-folders.ts';
import { scoresFile } from '../../packages/mesh/src/node/state/scores.ts';
import { MESH_ID, START_MS } from '../../packages/mesh/test/support/people.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { answered, bytesIn, parsedJson, texts } from './answers.ts';
import type { FuzzTarget } from './fuzz.ts';

const VECTORS = new URL('../../packages/mesh/vectors/', import.meta.url);
const vectors = async (name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL(`${name}.json`, VECTORS), 'utf8')) as Record<string, unknown>;

const GOSSIP = METHODS.mesh_gossip;

const KINDS = ['membership', 'leave', 'roster', 'model_catalog'] as const;
/** Signatures are the only thing that a changed body cannot have right, so here all are. */
const verify = (): boolean => true;

/** Every record of the vectors, as its kind and its body: what a member with a key of its own can sign. */
async function bodies(): Promise<Uint8Array[]> {
  const all = bytesIn([await vectors('membership'), await vectors('catalogs')]);
  return all.flatMap((bytes) => {
    const record = answered(() => decodeRecord(bytes));
    const kind = KINDS.indexOf(record?.kind as (typeof KINDS)[number]);
    return record === undefined || kind === -1 ? [] : [Buffer.concat([Uint8Array.of(kind), record.body])];
  });
}

function takeRecord(record: SignedRecord): void {
  const options = { meshId: MESH_ID, wallMs: () => START_MS, verify };
  const membership = new Membership(options);
  const book = new CatalogBook({ ...options, isMember: () => true });
  let isNews = false;
  try {
    isNews =
      answered(() => (record.kind === 'model_catalog' ? book.take(record) !== undefined : membership.take(record))) ??
      false;
  } catch (error) {
    if (!(error instanceof TwoNodesError)) throw error;
  }
  if (!isNews) return;
  const { name, order } = namedAs(record);
  // Another member refuses a message with a name or an order that is none, and with it all else that is in it.
  if (!GOSSIP.params.safeParse({ records: [record.bytes], have: [{ name, order }] }).success)
    throw new Error(`it is passed on as ${name} ${order}`);
  for (const member of membership.members()) requireShowable([member.name]);
  const head = book.headOf(name.slice(name.indexOf('/') + 1));
  if (head !== undefined) requireShowable([head.name, head.tags, head.properties, head.urls, head.bridgeUrl ?? '']);
}

/** Texts of others are shown in terminals. */
function requireShowable(values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value === 'string' && /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(value))
      throw new Error(`it would be shown: ${JSON.stringify(value)}`);
    if (typeof value === 'object' && value !== null) requireShowable([...Object.keys(value), ...Object.values(value)]);
  }
}

/** A store of one record, to answer whatever is asked. */
function answerer(): RecordSync {
  const [name, bytes] = ['roster', Uint8Array.of(1)];
  return new RecordSync({
    store: {
      size: 1,
      summary: () => [{ name, order: 3 }],
      orderOf: (one) => (one === name ? 3 : undefined),
      bytesOf: (one) => (one === name ? bytes : undefined),
      accept: async () => undefined,
      beatOf: () => undefined,
      beatsOf: () => undefined,
      acceptBeats: async () => ({ news: [], early: [], want: [], wrongSteps: 0 }),
      missingParts: () => [],
      part: () => undefined,
      acceptPart: async () => false,
    },
    ...{
      clock: new VirtualClock(),
      wallMs: () => 0,
      random: () => 0,
      log: silentLog,
      linked: () => [],
      fetchParts: async () => [],
    },
    ...{ tell: async () => ({ records: [], want: [] }), onNews: () => {}, onBrokenLimit: () => {} },
  });
}

const KEY = 'ab'.repeat(32);
const NODE = { key: KEY, name: 'gpu-1', role: 'worker', tags: [], isPresent: true, reliability: 1 } as const;
const NODES = [
  { ...NODE, properties: { gpu_memory: 16, os: 'linux', ready: true } },
  { ...NODE, key: 'cd'.repeat(32), name: 'laptop', properties: {} },
];

/** A folder of its own for each run; files in it are read one after the other. */
const FOLDER = mkdtempSync(join(tmpdir(), 'model-rtc-fuzz-mesh-'));
const LAB = join(FOLDER, 'mesh', `lab-${MESH_ID.slice(0, 8)}`);
const AT = '2026-01-01T00:00:00.000Z';
const MESH_FILE = {
  ...{ version: 1, id: MESH_ID, name: 'lab', nodeName: 'anna', joinedAt: AT, scopes: ['read'], membership: 'AAAA' },
  ...{ signalingUrls: ['ws://10.0.0.1:1'], contacts: [{ key: KEY, urls: [] }] },
};
const FILES: Readonly<Record<string, unknown>> = {
  'mesh.json': MESH_FILE,
  'trust.json': { distrusted: [{ key: KEY, name: 'ben', since: AT }] },
  'roster.json': { epoch: 0, sequence: 1, members: [], removed: [], signed: 'AAAA', parts: ['AAAA'] },
  'members.json': { members: [{ key: KEY, name: 'ben', scopes: ['read'], joinedAt: AT }] },
  'consents.json': { consents: [{ key: KEY, name: 'ben', at: AT, by: 'mesh consent' }], declined: [] },
  'scores.json': { nodes: { [KEY]: { reliability: 0.5, latencyMs: 3, at: AT } } },
};

/** What of the mesh comes from other members, the local network, the command line or a file that somebody edited. */
export const MESH_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'mesh-records',
    samples: async () => bytesIn([await vectors('membership'), await vectors('catalogs')]),
    read(bytes) {
      const record = answered(() => decodeRecord(bytes));
      if (record !== undefined) takeRecord(record);
    },
  },
  {
    name: 'mesh-bodies',
    samples: bodies,
    read(bytes) {
      const kind = KINDS[(bytes[0] ?? 0) % KINDS.length];
      const signatures = [new Uint8Array(64), new Uint8Array(64)];
      const packed = answered(() => packValue({ kind, body: Uint8Array.from(bytes.subarray(1)), signatures }));
      const record = packed === undefined ? undefined : answered(() => decodeRecord(packed));
      if (record !== undefined) takeRecord(record);
    },
  },
  {
    name: 'mesh-parts',
    samples: async () => bytesIn([await vectors('membership'), await vectors('catalogs')]),
    read(bytes) {
      const models = answered(() => readModels(bytes, { index: 0, count: 1 })) ?? [];
      requireShowable(models.map(({ digest: _, ...texts }) => texts));
      requireShowable((answered(() => readRosterPart(bytes, 0, 1)) ?? []).map(({ name }) => name));
    },
  },
  {
    name: 'mesh-invites',
    samples: async () => texts(String((await vectors('membership')).invite)),
    read: (bytes) => void answered(() => parseInvite(Buffer.from(bytes).toString('latin1'))),
  },
  {
    name: 'mesh-messages',
    samples: async () =>
      [
        { records: [Uint8Array.of(1, 2)], have: [{ name: 'roster', order: 1 }] },
        { records: [], have: [{ name: `leave/${KEY}`, order: 7 }], ranges: [0, 171] },
        { records: [], hashes: new Uint8Array(2048) },
      ].map((message) => packValue(message)),
    async read(bytes) {
      const params = GOSSIP.params.safeParse(answered(() => unpackValue(bytes)));
      if (!params.success) return;
      const sync = answerer();
      GOSSIP.result.parse(await sync.answer('evil', params.data));
      sync.close();
    },
  },
  {
    name: 'mesh-mdns',
    samples: async () => texts(PACKET, { ...PACKET, type: 'query', questions: [{ name: SERVICE, type: 'PTR' }] }),
    read(bytes) {
      const packet = parsedJson(bytes);
      if (!isPacket(packet)) return;
      asksForService(packet);
      for (const { urls, nodeHint, meshHint } of sightingsIn(packet, '10.0.0.9')) {
        if (![nodeHint, meshHint].every((hint) => /^[0-9a-f]{16}$/.test(hint))) throw new Error(`${nodeHint}`);
        if (!urls.every((url) => new URL(url).protocol === 'ws:')) throw new Error(`it leads to ${urls}`);
      }
    },
  },
  {
    name: 'mesh-where',
    samples: async () =>
      texts('gpu_memory >= 16, os = linux and ready != true', 'name="gpu 1" && load<.5e1', {
        gpu_memory: { $gte: 16, $ne: 3 },
        os: 'linux',
      }),
    read(bytes) {
      const where = answered(() => parseWhere(Buffer.from(bytes).toString('utf8')));
      if (where !== undefined) queryNodes(NODES, { where, best: where[0]?.property });
    },
  },
  {
    name: 'mesh-files',
    samples: async () => Object.values(FILES).map((file) => Buffer.from(JSON.stringify(file))),
    async read(bytes) {
      await rm(LAB, { recursive: true, force: true });
      await mkdir(LAB, { recursive: true });
      await writeFile(join(LAB, 'mesh.json'), bytes);
      await joinedMeshes(FOLDER);
      await writeFile(join(LAB, 'mesh.json'), JSON.stringify(MESH_FILE));
      for (const name of Object.keys(FILES).slice(1)) await writeFile(join(LAB, name), bytes);
      const [joined] = await joinedMeshes(FOLDER);
      if (joined === undefined) throw new Error('the mesh is gone');
      await Promise.all([joined.trust, joined.roster, joined.members, joined.consents].map((file) => file.read()));
      const { nodes } = await scoresFile(LAB).read();
      for (const { reliability } of Object.values(nodes))
        if (!(reliability >= 0 && reliability <= 1)) throw new Error(`a reliability of ${reliability}`);
    },
  },
];

const SERVICE = '_model-rtc._tcp.local';
const HINT = '0123456789abcdef';
const PACKET = {
  type: 'response',
  questions: [],
  answers: [
    { name: `${HINT}.${SERVICE}`, type: 'SRV', ttl: 120, data: { port: 8787, target: `${HINT}.local` } },
    { name: `${HINT}.${SERVICE}`, type: 'TXT', ttl: 120, data: ['v=1', `m=${HINT}`, `n=${HINT}`] },
    { name: `${HINT}.local`, type: 'A', ttl: 120, data: '10.0.0.2' },
    { name: `${HINT}.local`, type: 'AAAA', ttl: 120, data: '2001:db8::2' },
  ],
};

/** The shape that the library gives whatever came; what is in the fields is anyone's. */
function isPacket(value: unknown): value is Parameters<typeof asksForService>[0] {
  const { questions, answers } = (value ?? {}) as { readonly questions?: unknown; readonly answers?: unknown };
  const areRecords = (list: unknown): boolean =>
    Array.isArray(list) && list.every((one) => typeof one === 'object' && one !== null);
  return areRecords(questions) && areRecords(answers);
}
