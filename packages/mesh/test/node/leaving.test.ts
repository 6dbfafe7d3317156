import { expect, it } from '@jest/globals';
import { signLeave } from '../../src/core/index.ts';
import { type LabNode, NodeLab } from '../support/node-lab.ts';
import { AUTHORITY, identityOf, keyTextOf, START_MS } from '../support/people.ts';

it('a node that leaves has told those that refuse it because they heard of that before, from its own worker', async () => {
  const leave = signLeave(AUTHORITY.publicKey, identityOf(1), START_MS);
  const lab = await NodeLab.open([0, 0, 0], undefined, async ({ nodes }) => {
    for (const { view, sessions } of nodes) {
      await view.accept(leave.bytes, keyTextOf(1));
      sessions.setMembers(view.members().map(({ key }) => key));
    }
    return nodes.slice(0, 1);
  });
  const [leaving, ...others] = lab.nodes as [LabNode, ...LabNode[]];
  const told = leaving.node.untilHeard(60_000, new AbortController().signal);
  await lab.pass(60_000);
  expect(others.map(({ key }) => key)).toEqual(expect.arrayContaining([...(await told)]));
  expect(await told).not.toEqual([]);
  expect(leaving.view.problemOf(leaving.key)).toBeUndefined();
  await lab.close();
});
