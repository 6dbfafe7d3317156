import { readdir } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { type Digest, listModelsParams } from '@model-rtc/protocol';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { dataPaths } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const all = listModelsParams.parse({});

describe('the index', () => {
  it('loses nothing when ten processes register at once', async () => {
    const home = await temporaryFolder();
    const children = Array.from({ length: 10 }, (_, i) =>
      startChild(new URL('../children/install-many.ts', import.meta.url), [home, `p${i}`, '3']),
    );
    for (const { ended } of children) expect(await ended).toMatchObject({ code: 0 });
    const registry = await openTestRegistry({ home });
    expect((await registry.list(all)).total).toBe(30);
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect((await readdir(dataPaths(home).models)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }, 120_000);

  it('holds all that was reported when writers are killed at any moment', async () => {
    const home = await temporaryFolder();
    const children = Array.from({ length: 4 }, (_, i) =>
      startChild(new URL('../children/install-many.ts', import.meta.url), [home, `k${i}`, '1000']),
    );
    for (const [i, child] of children.entries()) {
      await child.saw(`installed ${2 + i};`);
      child.process.kill('SIGKILL');
    }
    const outputs = await Promise.all(children.map(({ ended }) => ended));
    const registry = await openTestRegistry({ home });
    for (const [i, { output }] of outputs.entries()) {
      for (const [, n] of output.matchAll(/installed (\d+);/g)) {
        const { entry } = await registry.resolve(`k${i}-${n}`);
        expect((await registry.check(entry.digest as Digest)).valid).toBe(true);
      }
    }
    await installFiles(registry, { a: 'after' });
  }, 120_000);
});
