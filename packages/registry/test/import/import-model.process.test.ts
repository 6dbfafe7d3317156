import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { listModelsParams } from '@model-rtc/protocol';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'weights of a model', 'sub/config.yaml': 'a: 1' };
const all = listModelsParams.parse({});

async function original(files: Record<string, string> = FILES): Promise<string> {
  return await writeFiles(join(await temporaryFolder(), 'run 1'), files);
}

describe('importing a model', () => {
  it('that was killed leaves nothing once the registry is opened again, and the one under way is left alone', async () => {
    const home = await temporaryFolder();
    const path = await original();
    const [killed, running] = [
      startChild(new URL('../children/slow-import.ts', import.meta.url), [home, path]),
      startChild(new URL('../children/slow-import.ts', import.meta.url), [home, path]),
    ];
    await Promise.all([killed.saw('copied'), running.saw('copied')]);
    killed.process.kill('SIGKILL');
    await killed.ended;
    const registry = await openTestRegistry({ home });
    expect(await readdir(registry.paths.staging)).toHaveLength(2);
    expect((await registry.list(all)).total).toBe(0);
    running.process.kill('SIGKILL');
    await running.ended;
    await openTestRegistry({ home });
    expect(await readdir(registry.paths.staging)).toEqual([]);
  }, 30_000);
});
