import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compareFolders } from '../../../src/commands/demo/compare-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mrtc-compare-'));
  for (const side of ['a', 'b']) mkdirSync(join(root, side, 'sub'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (side: string, path: string, text: string) => writeFileSync(join(root, side, path), text);
const compare = () => compareFolders(join(root, 'a'), join(root, 'b'));

describe('compareFolders', () => {
  it('counts files that are the same, links and the registry’s notes aside', async () => {
    put('a', 'x', '1');
    put('a', 'sub/y', '2');
    symlinkSync(join(root, 'a', 'x'), join(root, 'b', 'x'));
    put('b', 'sub/y', '2');
    mkdirSync(join(root, 'b', '.model-rtc'));
    put('b', '.model-rtc/entry.json', '{}');
    expect(await compare()).toBe(2);
  });

  it('names the file that differs, or is on one side only', async () => {
    put('a', 'x', '1');
    put('b', 'x', '2');
    await expect(compare()).rejects.toMatchObject({
      code: 'verification_failed',
      message: expect.stringContaining('x'),
    });
    put('b', 'x', '1');
    put('b', 'sub/extra', '');
    await expect(compare()).rejects.toMatchObject({ message: expect.stringContaining('sub/extra') });
  });
});
