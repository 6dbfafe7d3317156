import { expect, it } from '@jest/globals';
import { type MeshMachine, meshMachine, until } from '../support/mesh-scene.ts';
import { startSignaling } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();

interface InvitesJson {
  readonly invites: readonly {
    readonly key: string;
    readonly state: string;
    readonly used: number;
    readonly members: readonly { readonly name: string }[];
  }[];
}

async function invite(machine: MeshMachine, uses: number): Promise<{ invite: string; key: string }> {
  return (await machine.succeed(['mesh', 'invite', '--uses', String(uses), '--json'])).json();
}

async function invites(machine: MeshMachine): Promise<InvitesJson['invites']> {
  return (await machine.succeed(['mesh', 'invites', '--json'])).json<InvitesJson>().invites;
}

const problemOf = async (machine: MeshMachine): Promise<string | undefined> =>
  (await machine.peers()).find(({ isSelf }) => isSelf)?.problem;

it('an invite lets in as many as it says, and takes all of them along when it is revoked', async () => {
  const { url } = await startSignaling(lab);
  const machines = await Promise.all(['anna', 'ben', 'cleo', 'dora'].map((name) => meshMachine(lab, name)));
  const [anna, ben, cleo, dora] = machines as [MeshMachine, MeshMachine, MeshMachine, MeshMachine];
  await anna.succeed(['mesh', 'create', 'lab', '--signaling', url]);
  await anna.startWorker('--no-mdns');
  const [one, many] = [await invite(anna, 1), await invite(anna, 5)];
  await ben.succeed(['mesh', 'join', one.invite, '--timeout', '20s']);
  await dora.succeed(['mesh', 'join', many.invite, '--timeout', '20s']);
  await cleo.run(['mesh', 'join', one.invite, '--timeout', '5s']);
  const listed = await until(
    () => invites(anna),
    (found) => found.every(({ used }) => used === 1),
  );
  expect(listed.map(({ key, state, members }) => [key, state, members.map(({ name }) => name)])).toEqual([
    [many.key, 'open', ['dora']],
    [one.key, 'used_up', ['ben']],
  ]);
  expect((await anna.peers()).map(({ name }) => name).sort()).toEqual(['anna', 'ben', 'dora']);
  const removed = await anna.succeed(['mesh', 'remove', '--invite', many.key.slice(0, 8), '--json']);
  expect(removed.json<{ removed: { name: string }[] }>().removed.map(({ name }) => name)).toEqual(['dora']);
  await until(
    () => problemOf(dora),
    (problem) => problem?.includes('no member of the mesh') === true,
  );
  expect((await anna.peers()).map(({ name }) => name).sort()).toEqual(['anna', 'ben']);
  expect((await invites(anna)).map(({ state }) => state)).toEqual(['revoked', 'used_up']);
  expect(await problemOf(ben)).toBeUndefined();
});
