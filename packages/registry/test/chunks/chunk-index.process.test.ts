import { describe, expect, it } from '@jest/globals';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { sha256 } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

describe('the chunks of this machine', () => {
  it('are found by several processes that register models at once', async () => {
    const home = await temporaryFolder();
    const children = Array.from({ length: 4 }, (_, i) =>
      startChild(new URL('../children/locate-chunks.ts', import.meta.url), [home, `p${i}`]),
    );
    for (const { ended } of children) expect(await ended).toMatchObject({ code: 0 });
    const registry = await openTestRegistry({ home });
    const chunks = children.flatMap((_, p) => [0, 1, 2, 3, 4].map((i) => sha256(`p${p} ${i}`.padEnd(16))));
    expect((await registry.locateChunks(chunks)).size).toBe(20);
  }, 60_000);
});
