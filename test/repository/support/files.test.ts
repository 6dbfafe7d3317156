import { once } from 'node:events';
import { chmod, mkdir, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeRandomFile, makeSparseFile, sha256Of, treeDigest } from '../../support/files.ts';
import { freePort } from '../../support/free-port.ts';
import { peakOf } from '../../support/process-memory.ts';
import { rootUser } from '../../support/requirements.ts';
import { describeWith, useLab } from '../../support/suites.ts';

const MEBIBYTE = 1024 * 1024;
const lab = useLab();

describe('makeSparseFile', () => {
  it('makes a file of exactly the size that takes little of the disk', async () => {
    const path = join(await lab.folder(), 'a', 'big.bin');
    await makeSparseFile(path, 64 * MEBIBYTE + 5);
    const { size, blocks } = await stat(path);
    expect(size).toBe(64 * MEBIBYTE + 5);
    expect(blocks * 512).toBeLessThan(8 * MEBIBYTE);
  });

  it('makes every mebibyte of every seed different', async () => {
    const folder = await lab.folder();
    const seen = new Set<string>();
    for (const seed of [1, 2]) {
      const path = join(folder, `${seed}.bin`);
      await makeSparseFile(path, 4 * MEBIBYTE, { seed });
      const bytes = await readFile(path);
      for (let offset = 0; offset < bytes.length; offset += MEBIBYTE) {
        seen.add(bytes.subarray(offset, offset + MEBIBYTE).toString('latin1'));
      }
    }
    expect(seen.size).toBe(8);
  });

  it('makes the same bytes again, down to a few and none', async () => {
    const folder = await lab.folder();
    for (const size of [0, 1, 7, MEBIBYTE + 3]) {
      await makeSparseFile(join(folder, 'a'), size);
      await makeSparseFile(join(folder, 'b'), size);
      expect((await stat(join(folder, 'a'))).size).toBe(size);
      expect(await sha256Of(join(folder, 'a'))).toBe(await sha256Of(join(folder, 'b')));
    }
  });
});

describe('makeRandomFile', () => {
  it('makes a file of exactly the size, never the same twice', async () => {
    const folder = await lab.folder();
    await makeRandomFile(join(folder, 'a'), MEBIBYTE + 1);
    await makeRandomFile(join(folder, 'b'), MEBIBYTE + 1);
    expect((await stat(join(folder, 'a'))).size).toBe(MEBIBYTE + 1);
    expect(await sha256Of(join(folder, 'a'))).not.toBe(await sha256Of(join(folder, 'b')));
  });
});

describe('treeDigest', () => {
  it('tells path, size, content and mode of every file, through links, without what is ignored', async () => {
    const folder = await lab.folder();
    const tree = join(folder, 'tree');
    await mkdir(join(tree, 'sub', '.model-rtc'), { recursive: true });
    await writeFile(join(folder, 'target'), 'abc');
    await chmod(join(folder, 'target'), 0o755);
    await symlink(join(folder, 'target'), join(tree, 'sub', 'link ü'));
    await writeFile(join(tree, 'empty'), '', { mode: 0o600 });
    await writeFile(join(tree, 'sub', '.model-rtc', 'entry.json'), '{}');
    expect(await treeDigest(tree, { ignore: ['.model-rtc'] })).toEqual(
      new Map([
        ['empty', { size: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', mode: 0o600 }],
        [
          'sub/link ü',
          { size: 3, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', mode: 0o755 },
        ],
      ]),
    );
  });
});

describe('freePort', () => {
  it('gives a port that can be listened on', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect(server.address()).toMatchObject({ port });
    server.close();
    await once(server, 'close');
  });
});

describe('peakOf', () => {
  it('reads the peak of resident memory in bytes', () => {
    expect(peakOf('Name:\tnode\nVmPeak:\t 9 kB\nVmHWM:\t   52224 kB\nVmRSS:\t 1 kB\n')).toBe(52_224 * 1024);
  });

  it('refuses a status without it, as of a process that has ended', () => {
    expect(() => peakOf('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('No VmHWM');
  });
});

describeWith([rootUser()], 'tmpfs', () => {
  it('is a disk that is full after its size', async () => {
    const disk = await lab.tmpfs(MEBIBYTE);
    const file = await open(join(disk, 'a'), 'w');
    const writing = file.write(Buffer.alloc(2 * MEBIBYTE)).then(({ bytesWritten }) => {
      if (bytesWritten < 2 * MEBIBYTE) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    });
    await expect(writing).rejects.toMatchObject({ code: 'ENOSPC' });
    await file.close();
  });
});
