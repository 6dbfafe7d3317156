import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Machine } from '../support/machine.ts';
import { importModel, startSignaling } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();

/** Starts the worker of a member. @returns the address of its bridge, where it has one */
async function startMember(machine: Machine, signaling: string, ...more: string[]): Promise<string> {
  const args = ['worker', '--name', machine.name, '--no-mdns', '--signaling', signaling, '--json', ...more];
  const worker = machine.start(args);
  const [line] = await worker.waitForStdout(/^\{.*\}$/m);
  return (JSON.parse(line) as { httpUrl?: string }).httpUrl ?? '';
}

interface Listed {
  readonly data: readonly { readonly id: string; readonly is_local: boolean }[];
}

/** A pull goes on for a moment after its model is there: it tells the others. */
async function untilMetric(url: string, wanted: RegExp): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (wanted.test(await (await fetch(`${url}/metrics`)).text())) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url}/metrics never had ${wanted}`);
}

interface PeerSeen {
  readonly key: string;
  readonly isSelf: boolean;
  readonly hinted?: number;
}

/** Asks the mesh until it tells of a node that fits. */
async function untilPeer(machine: Machine, fits: (node: PeerSeen) => boolean): Promise<PeerSeen> {
  for (let i = 0; i < 60; i++) {
    const { nodes } = (await machine.succeed(['mesh', 'peers', '--json'])).json<{ nodes: PeerSeen[] }>();
    const found = nodes.find(fits);
    if (found !== undefined) return found;
  }
  throw new Error('no node fits');
}

/** Asks the bridge until it lists the model as one that is here, or that others have. */
async function untilListed(url: string, id: string, isLocal: boolean): Promise<Listed['data'][number]> {
  for (let i = 0; i < 300; i++) {
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as Listed;
    const found = data.find((model) => model.id === id && model.is_local === isLocal);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${id} was not listed`);
}

it('sends a tool what another member of the mesh has, and keeps it', async () => {
  const { url: signaling } = await startSignaling(lab);
  const [owner, member] = [await lab.machine('owner'), await lab.machine('member')];
  const bytes = randomBytes(30_000_000);
  const path = join(await lab.folder(), 'weights.bin');
  await writeFile(path, bytes);
  await importModel(owner, path, 'big', '--as-is');
  await owner.succeed(['mesh', 'create', 'lab']);
  await startMember(owner, signaling);
  const invited = await owner.succeed(['mesh', 'invite', '--json']);
  await member.succeed(['mesh', 'join', invited.json<{ invite: string }>().invite]);
  const bridge = await startMember(member, signaling, '--http-port', '0');
  await untilListed(bridge, 'big', false);
  // Nobody can be asked over HTTP, so the answer says what to do.
  const refused = await fetch(`${bridge}/v1/models/download/big`);
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain('model-rtc mesh consent owner');
  await member.succeed(['mesh', 'consent', 'owner']);
  // Two tools at once; the second wants the end of it.
  const [whole, end] = await Promise.all([
    fetch(`${bridge}/v1/models/download/big`),
    fetch(`${bridge}/hf/big/resolve/main/weights.bin`, { headers: { range: 'bytes=-1000' } }),
  ]);
  expect([whole.status, end.status]).toEqual([200, 206]);
  const got = Buffer.from(await whole.arrayBuffer());
  expect(createHash('sha256').update(got).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(Buffer.from(await end.arrayBuffer()).equals(bytes.subarray(-1000))).toBe(true);
  await untilListed(bridge, 'big', true);
  await untilMetric(bridge, /^model_rtc_bridge_pulls_total\{outcome="completed"\} 1$/m);
  await member.succeed(['client', 'verify', 'big']);
  // What came of it counts when the next holder is chosen, as after a pull by a person.
  const { nodes } = (await member.succeed(['mesh', 'peers', '--known-only', '--json'])).json<{ nodes: PeerSeen[] }>();
  const giver = nodes.find(({ isSelf }) => !isSelf);
  expect(giver).toMatchObject({ name: 'owner', reliability: 1, bytesPerSecond: expect.any(Number) });
  const catalog = await (await fetch(`${bridge}/v1/catalog`)).json();
  expect(catalog).toMatchObject({
    object: 'model_catalog',
    nodes: expect.arrayContaining([expect.objectContaining({ node_name: 'owner', node_key: giver?.key })]),
    models: [{ alias: 'big', holders: expect.arrayContaining([{ node_key: giver?.key, is_whole: true }]) }],
  });
  // Others are told of it, who have not asked the owner themselves.
  const onlooker = await lab.machine('onlooker');
  await onlooker.succeed(['mesh', 'join', invited.json<{ invite: string }>().invite]);
  const seen = await untilPeer(onlooker, ({ key, hinted }) => key === giver?.key && hinted !== undefined);
  expect(seen).toMatchObject({ hinted: 1, reliability: 1 });
  const audit = await member.succeed(['mesh', 'audit', '--json']);
  const { decisions } = audit.json<{ decisions: { event: string; by: string; bytes?: number }[] }>();
  expect(decisions.map(({ event, by }) => [event, by])).toEqual([
    ['download', 'http bridge'],
    ['consent', 'mesh consent'],
    ['refusal', 'http bridge'],
  ]);
  expect(decisions[0]?.bytes).toBe(bytes.length);
}, 180_000);
