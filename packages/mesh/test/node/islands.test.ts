import { expect, it } from '@jest/globals';
import { NodeLab } from '../support/node-lab.ts';

const MINUTE_MS = 60_000;

it('two groups that met apart on one local network become one mesh, though none knows a member of the other group', async () => {
  const lab = await NodeLab.open(
    [0, 0, 0, 0],
    [
      [1, 2],
      [3, 4],
    ],
  );
  lab.allAnnounce();
  await lab.pass(MINUTE_MS);
  for (const { view } of lab.nodes) expect(view.members()).toHaveLength(4);
  for (const { view, key } of lab.nodes)
    for (const other of lab.nodes) if (other.key !== key) expect(view.modelsOf(other.key)).toHaveLength(1);
  await lab.close();
});
