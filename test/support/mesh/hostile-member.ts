/**
 * A member of a mesh that keeps to no rule. Run as a process of its own: `hostile-member.ts HOME WORK TARGET INVITE`, where TARGET is the
 * JSON `{key, urls}` of the member whose worker it visits. It writes one line for each thing that it tried, with how that ended, and
 * `done` at the end.
 */
import { randomBytes } from 'node:crypto';
import { fromBase64Url, identityFromSeed, ModelRtcError, packValue, silentLog, unpackValue } from '@model-rtc/protocol';
import { dataPaths, loadIdentity, loadIdentitySeed } from '@model-rtc/registry';
import { connectToSession, type Handlers, type Peer } from '@model-rtc/transport';
import { signHead } from '../../../packages/mesh/src/core/catalog/head.ts';
import { parseInvite, sharedSecretsOf, signMembership } from '../../../packages/mesh/src/core/index.ts';
import { partHash } from '../../../packages/mesh/src/core/parts.ts';
import { signRecord } from '../../../packages/mesh/src/core/record.ts';
import { lanInterfaces } from '../../../packages/mesh/src/node/mdns/interfaces.ts';
import { openMulticastSocket } from '../../../packages/mesh/src/node/mdns/multicast-socket.ts';
import { announcementRecords } from '../../../packages/mesh/src/node/mdns/records.ts';
import { MeshSessions } from '../../../packages/mesh/src/node/sessions.ts';
import { joinedMeshes } from '../../../packages/mesh/src/node/state/mesh-folders.ts';

const [home = '', work = 'attack', targetText = '{}', inviteText = ''] = process.argv.slice(2);
const target = JSON.parse(targetText) as { readonly key: string; readonly urls: readonly string[] };
const [joined] = await joinedMeshes(home);
if (joined === undefined) throw new Error(`${home} is in no mesh`);
const { mesh } = joined;
const identity = await loadIdentity(dataPaths(home).keys);
const sessions = new MeshSessions(
  mesh.id,
  identity.publicKey,
  sharedSecretsOf(await loadIdentitySeed(dataPaths(home).keys)),
);

/** Asks for everything that it is told of many times, and never answers when it is asked for parts. */
const GREEDY: Handlers = {
  mesh_gossip: async () => ({ records: [], want: Array.from({ length: 30_000 }, () => 'roster') }),
  mesh_fetch: () => new Promise(() => {}),
};
/** What its catalogs name, in place of models. */
const BAD_PART = packValue([
  {
    digest: 'ab'.repeat(32),
    model_id: 'abababab',
    name: '\u001b[2Jgone\u202e',
    type: 'x',
    size_bytes: 1,
    capabilities: [],
    source: 'hub',
    tags: [],
  },
]);
const GIVING: Handlers = { ...GREEDY, mesh_fetch: async () => ({ parts: [BAD_PART] }) };

async function connect(handlers: Handlers, isDoor = false): Promise<Peer> {
  const token = isDoor
    ? sessions.doorFor(target.key, target.urls)
    : sessions.sessionFor(target.key, target.urls, mesh.scopes);
  return await connectToSession({
    ...{ token, handlers, agent: { name: 'evil', version: '0' }, log: silentLog },
    ...{ signal: AbortSignal.timeout(30_000), timeoutMs: 20_000 },
  });
}

async function tried(what: string, attempt: () => Promise<unknown>): Promise<void> {
  let how = 'taken';
  try {
    await attempt();
  } catch (error) {
    const { code, message } = ModelRtcError.from(error);
    how = `${code} (${message})`;
  }
  process.stdout.write(`${what}: ${how}\n`);
}

async function say(peer: Peer, ...records: Uint8Array[]): Promise<void> {
  await peer.request('mesh_gossip', { records });
}

const own = { name: 'evil', role: 'worker' as const, tags: [], properties: {}, urls: [], models: [] };
const good = signHead(identity, { meshId: mesh.id, own, sequence: 1, nowMs: Date.now() });
let sequence = Date.now();
function head(fields: object): Uint8Array {
  sequence += 1;
  const body = { ...(unpackValue(good.record.body) as object), sequence, issuedAt: Date.now(), ...fields };
  return signRecord('model_catalog', body, [identity]).bytes;
}

async function announceLies(peer: Peer): Promise<void> {
  await tried('a million models', () => say(peer, head({ modelCount: 1_000_000 })));
  const never = Array.from({ length: 1024 }, () => new Uint8Array(randomBytes(32)));
  await tried('parts that never arrive', () => say(peer, head({ modelCount: 10_000, parts: never })));
  await tried('a catalog from the future, and a good one, by turns', async () => {
    for (let i = 0; i < 15; i++)
      await say(peer, head({ issuedAt: Date.now() + 3_600_000, name: `evil${i}` }), head({}));
  });
  await tried('an old catalog', () => say(peer, good.record.bytes));
  for (const name of ['../../etc/passwd', '\u001b[2Jgone', 'a\u202eb', 'x'.repeat(60_000)]) {
    await tried('a name that nobody can show', () =>
      say(peer, head({ name }), head({ tags: [name], properties: { [name]: name } })),
    );
  }
}

/** What others have signed, with a changed byte: each looks right until its signature is checked. */
async function forge(peer: Peer): Promise<void> {
  const { records } = await peer.request('mesh_gossip', { records: [], have: [] });
  await tried('what others signed, changed', async () => {
    for (const record of records.slice(0, 10)) {
      const bytes = Uint8Array.from(record);
      bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
      await say(peer, bytes);
    }
  });
  const { record: invite, seed } = parseInvite(inviteText);
  const honest = signMembership({ invite, inviteSeed: seed, node: identity, name: 'evil', nowMs: Date.now() });
  const body = { ...(unpackValue(honest.body) as object), sequence: -1 };
  await tried('a membership with an order that is none', () =>
    say(peer, signRecord('membership', body, [identityFromSeed(seed), identity]).bytes),
  );
}

/** Sends and asks until it is thrown out, each time on a new connection. */
async function flood(): Promise<void> {
  const until = async (what: string, ask: (peer: Peer) => Promise<unknown>) => {
    const peer = await connect(GREEDY).catch(() => undefined);
    await tried(what, async () => {
      for (let i = 0; i < 20_000 && peer !== undefined; i++)
        await Promise.all(Array.from({ length: 8 }, () => ask(peer)));
      if (peer === undefined) throw new ModelRtcError('busy', 'It is not let in any more.');
    });
    await peer?.close();
  };
  const junk = Array.from({ length: 64 }, () => new Uint8Array(60_000));
  await until('a flood of records', (peer) => say(peer, ...junk));
  const parts = (unpackValue(good.record.body) as { readonly parts: Uint8Array[] }).parts;
  const wanted = [...parts.map((hash) => Buffer.from(hash).toString('hex')), 'ab'.repeat(32)];
  await until('the same parts for ever', (peer) => peer.request('mesh_fetch', { parts: wanted as never }));
}

/** Everybody on the network hears of machines that are not there, and that the member is somewhere else. */
async function shout(): Promise<void> {
  const [on] = lanInterfaces();
  if (on === undefined) throw new Error('this machine has no network');
  const socket = openMulticastSocket(on, { packet: () => {}, failed: () => {} });
  for (let i = 0; i < 3_000; i++) {
    const nodeHint = i % 2 === 0 ? sessions.lanHint(target.key) : randomBytes(8).toString('hex');
    const maskedKey = sessions.maskedKey(target.key, nodeHint);
    const announcement = { meshHint: sessions.lanHint(), nodeHint, maskedKey, port: 1 + (i % 60_000) };
    socket.send({ type: 'response', answers: announcementRecords(announcement, [`10.99.${i % 250}.1`]) });
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.close();
  process.stdout.write('thousands of announcements: sent\n');
}

async function attack(): Promise<void> {
  await tried('its membership, by the door', async () => {
    await using door = await connect({}, true);
    await door.request('mesh_gossip', { records: [fromBase64Url(mesh.membership)] });
  });
  const peer = await connect(GREEDY);
  await announceLies(peer);
  await forge(peer);
  const giving = await connect(GIVING);
  await tried('a part with names that nobody can show', () =>
    say(giving, head({ modelCount: 1, parts: [sha256(BAD_PART)] })),
  );
  for (let i = 0; i < 10; i++) await tried('a door held open', () => connect({}, true));
  await shout();
  await flood();
}

/** A member that was removed: with its old session, by the door with its old membership, and with a new key by the same invite. */
async function comeBack(): Promise<void> {
  const { record: invite, seed } = parseInvite(inviteText);
  const byDoor = async (membership: Uint8Array): Promise<void> => {
    await using door = await connect({}, true);
    await door.request('mesh_gossip', { records: [membership, head({})] });
  };
  for (let i = 0; i < 5; i++) {
    await tried('its old session', async () => await (await connect(GREEDY)).request('mesh_gossip', { records: [] }));
    await tried('its old membership', () => byDoor(fromBase64Url(mesh.membership)));
    await tried('a new membership by its old invite', () =>
      byDoor(signMembership({ invite, inviteSeed: seed, node: identity, name: 'evil', nowMs: Date.now() }).bytes),
    );
    const node = identityFromSeed(new Uint8Array(randomBytes(32)));
    await tried('a new key by its old invite', () =>
      byDoor(signMembership({ invite, inviteSeed: seed, node, name: 'new', nowMs: Date.now() }).bytes),
    );
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.from(partHash(bytes), 'hex'));
}

await (work === 'attack' ? attack() : comeBack());
process.stdout.write('done\n');
// What it holds open stays open until it is killed.
setInterval(() => {}, 60_000);
