import { afterEach, describe, expect, it } from '@jest/globals';
import { consentDecisions, createMesh, type Mesh, type MeshNodeInfo, readDecisions } from '@model-rtc/mesh';
import type { Digest } from '@model-rtc/protocol';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Context, Prompts } from '../../src/console/context.ts';
import { agreeToNode, noteLeftOut, withAgreedHolders } from '../../src/console/mesh-consent.ts';

const [ANNA, BEN] = ['a', 'b'].map((letter) => letter.repeat(64)) as [string, string];

function node(key: string, name: string, more: Partial<MeshNodeInfo> = {}): MeshNodeInfo {
  return meshNode(name, { key, ...more });
}

let asked: string[] = [];
let noted: string[] = [];
afterEach(() => {
  [asked, noted] = [[], []];
});

/** A machine whose owner gives this answer to every question; none where nobody is there. */
async function machine(answer: boolean | undefined) {
  const home = await temporaryFolder();
  const { id } = await createMesh({ root: home, name: 'lab', nodeName: 'self', signalingUrls: [] });
  const prompts = {
    confirm: async ({ message }: { message: string }) => {
      asked.push(message);
      return answer;
    },
    isCancel: () => false,
  } as unknown as Prompts;
  const output = { clearProgress() {}, note: (text: string) => void noted.push(text) };
  const context = {
    home,
    interactive: answer !== undefined,
    output,
    prompts: async () => prompts,
  } as unknown as Context;
  const meshOf = (...nodes: MeshNodeInfo[]): Mesh =>
    ({
      ...{ id, name: 'lab', nodes: async () => nodes },
      find: async () => ({ digest: 'd'.repeat(64) as Digest, holders: nodes.map((one) => ({ node: one })) }),
    }) as unknown as Mesh;
  const events = async () => (await readDecisions(home)).map(({ event, by }) => `${event} ${by}`);
  return { home, context, meshOf, events, kept: () => consentDecisions(home, id) };
}

describe('consent to fetch from nodes of a mesh', () => {
  it('is asked for once, with the names and keys, and kept', async () => {
    const { context, meshOf, kept, events } = await machine(true);
    await withAgreedHolders(context, meshOf(node(ANNA, 'anna'), node(BEN, 'ben')), 'mouse', {});
    expect(asked).toEqual([
      'Nothing was fetched from anna (aaaaaaaa) and ben (bbbbbbbb) of the mesh lab yet. Fetch from them?',
    ]);
    expect((await kept()).consents.map(({ name }) => name)).toEqual(['anna', 'ben']);
    expect(await events()).toEqual(['consent asked at the terminal', 'consent asked at the terminal']);
  });

  it('ends the command when it is declined and nobody else has the model', async () => {
    const { context, meshOf, kept } = await machine(false);
    const answered = withAgreedHolders(context, meshOf(node(ANNA, 'anna')), 'mouse', {});
    await expect(answered).rejects.toMatchObject({ code: 'cancelled' });
    expect(await kept()).toMatchObject({ consents: [], declined: [{ name: 'anna' }] });
  });

  it('is not asked for again about a declined node while others have the model', async () => {
    const { context, meshOf } = await machine(false);
    const mesh = meshOf(node(ANNA, 'anna', { hasConsent: true }), node(BEN, 'ben'));
    for (let i = 0; i < 2; i++) {
      const agreed = await withAgreedHolders(context, mesh, 'mouse', {});
      expect((await agreed.find('mouse')).holders).toHaveLength(1);
      await noteLeftOut(context, agreed);
    }
    expect(asked).toHaveLength(1);
    expect(noted).toEqual([]);
  });

  it('is refused in a script, with the flag and the command', async () => {
    const { context, meshOf, kept, events } = await machine(undefined);
    const refused = withAgreedHolders(context, meshOf(node(ANNA, 'anna')), 'mouse', { consent: false });
    await expect(refused).rejects.toMatchObject({
      ...{ code: 'refused', details: { flag: '--consent' } },
      message: expect.stringContaining('pass --consent or run: model-rtc mesh consent anna.'),
    });
    expect((await kept()).consents).toEqual([]);
    expect(await events()).toEqual(['refusal mesh.consent']);
  });

  it('is given by the flag', async () => {
    const { context, meshOf, kept } = await machine(undefined);
    await withAgreedHolders(context, meshOf(node(ANNA, 'anna')), 'mouse', { consent: true });
    expect((await kept()).consents).toMatchObject([{ name: 'anna', by: '--consent' }]);
  });

  it('is not needed of all in a script, which is told whom it did without', async () => {
    const { context, meshOf } = await machine(undefined);
    const mesh = meshOf(node(ANNA, 'anna', { hasConsent: true }), node(BEN, 'ben'));
    const agreed = await withAgreedHolders(context, mesh, 'mouse', {});
    await agreed.find('mouse');
    await noteLeftOut(context, agreed);
    expect(noted).toEqual([expect.stringContaining('model-rtc mesh consent ben')]);
  });

  it('is given by naming the node, and not by letting this machine choose one', async () => {
    const { context, meshOf, kept } = await machine(undefined);
    const anna = node(ANNA, 'anna');
    await expect(agreeToNode(context, meshOf(anna), anna, { isNamed: false })).rejects.toMatchObject({
      code: 'refused',
    });
    await agreeToNode(context, meshOf(anna), anna, { isNamed: true });
    expect((await kept()).consents).toMatchObject([{ name: 'anna', by: 'named with --worker' }]);
  });
});
