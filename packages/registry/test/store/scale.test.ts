import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, listModelsParams } from '@model-rtc/protocol';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

describe('a registry that is opened', () => {
  it('reads no manifest and opens no chunk index to list, resolve, rename and tell where models are', async () => {
    const first = await openTestRegistry();
    const home = first.paths.root;
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { localPath, id } = await installFiles(first, { 'best.ckpt': `${i}` }, { alias: `model-${i}` as Alias });
      // Whoever reads it fails.
      await writeFile(join(localPath, '.model-rtc', 'manifest.json'), 'no manifest');
      ids.push(id);
    }
    await first.close();
    const log = warningLog();
    const registry = await openTestRegistry({ home, log });
    expect((await registry.list(listModelsParams.parse({}))).total).toBe(3);
    expect((await registry.resolve('model-1')).entry.id).toBe(ids[1]);
    await registry.tag('model-1', 'renamed' as Alias);
    const known = await registry.listKnown({ filters: {}, sort: 'name', location: 'all' });
    expect(known.models.map(({ entry }) => entry.alias)).toEqual(['model-0', 'model-2', 'renamed']);
    expect(log.warnings).toEqual([]);
    expect(existsSync(registry.paths.chunkIndex)).toBe(false);
  });
});
