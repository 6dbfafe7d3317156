import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLog } from '@model-rtc/protocol';
import { createFolderHints } from '../../src/watch/folder-hints.ts';
import { afterTest, temporaryFolder } from '../support/registry.ts';

async function setUp(maxFolders?: number) {
  const folder = await temporaryFolder();
  const said: string[] = [];
  const heard: string[] = [];
  let wake: (() => void) | undefined;
  const hints = createFolderHints({
    maxFolders,
    log: { ...silentLog, info: (_fields, message) => void said.push(message) },
    onHint: (path) => {
      heard.push(path);
      wake?.();
    },
  });
  afterTest(() => hints.close());
  const hear = async (path: string): Promise<void> => {
    while (!heard.includes(path)) await new Promise<void>((resolve) => (wake = resolve));
  };
  const make = async (name: string): Promise<string> => {
    await mkdir(join(folder, name));
    return join(folder, name);
  };
  return { hints, heard, hear, said, make };
}

describe('hints of what happens in folders', () => {
  it('come for new files and for writes, from the folders that are listened in now', async () => {
    const { hints, heard, hear, make } = await setUp();
    const [a, b] = [await make('a'), await make('b')];
    hints.listenIn([a]);
    await writeFile(join(a, 'file'), 'one');
    await hear(a);
    hints.listenIn([b]);
    heard.length = 0;
    await writeFile(join(a, 'file'), 'two');
    await writeFile(join(b, 'file'), 'one');
    await hear(b);
    expect(heard).not.toContain(a);
  });

  it('pass over a folder that is gone, and come when one goes', async () => {
    const { hints, hear, make } = await setUp();
    const a = await make('a');
    hints.listenIn([`${a}-gone`, a]);
    await rm(a, { recursive: true });
    await hear(a);
  });

  it('stop at the limit, which is said once, and go on when there is room again', async () => {
    const { hints, hear, said, make } = await setUp(1);
    const [a, b, c] = [await make('a'), await make('b'), await make('c')];
    hints.listenIn([a, b, c]);
    expect(said).toHaveLength(1);
    hints.listenIn([b]);
    await writeFile(join(b, 'file'), 'one');
    await hear(b);
  });
});
