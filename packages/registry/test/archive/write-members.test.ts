import type { FileHandle } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { unpackTar } from 'modern-tar';
import { rejection } from '../../../../test/support/rejection.ts';
import { type NewMember, writeMembers } from '../../src/archive/write-members.ts';

const PIECE = Buffer.alloc(1024 * 1024, 7);

function member(path: string, pieces: number, more: Partial<NewMember> = {}): NewMember {
  return {
    path,
    size: pieces * PIECE.length,
    mode: 0o644,
    mtime: new Date(0),
    async *bytes() {
      for (let i = 0; i < pieces; i++) yield PIECE;
    },
    ...more,
  };
}

/** A file that is full after so many bytes, and takes no more than half a mebibyte at once. */
function fileOf(maxBytes: number): { file: FileHandle; written: () => Buffer } {
  const taken: Buffer[] = [];
  let size = 0;
  const write = async (bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }> => {
    const bytesWritten = Math.min(length, PIECE.length / 2);
    size += bytesWritten;
    if (size > maxBytes) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    taken.push(Buffer.from(bytes.subarray(offset, offset + bytesWritten)));
    return { bytesWritten };
  };
  return { file: { write } as unknown as FileHandle, written: () => Buffer.concat(taken) };
}

describe('writing the members of an archive', () => {
  it('writes all of them, whatever a single write takes, and gives the size', async () => {
    const { file, written } = fileOf(Number.POSITIVE_INFINITY);
    const size = await writeMembers(file, [member('m/a', 3), member('m/b', 0)]);
    expect(written().length).toBe(size);
    const members = await unpackTar(written(), { strict: true });
    expect(members.map(({ header, data }) => [header.name, data?.length])).toEqual([
      ['m/a', 3 * PIECE.length],
      ['m/b', 0],
    ]);
  });

  it('fails with what the disk says when it is full in the middle', async () => {
    const { file } = fileOf(5 * PIECE.length);
    expect(await rejection(writeMembers(file, [member('m/a', 40)]))).toMatchObject({ code: 'ENOSPC' });
  });

  it('fails with what a file says that cannot be read, also between two pieces', async () => {
    for (const readable of [0, 2, 12]) {
      const { file } = fileOf(Number.POSITIVE_INFINITY);
      const broken = member('m/a', 20, {
        async *bytes() {
          for (let i = 0; i < readable; i++) yield PIECE;
          throw new Error('it changed');
        },
      });
      expect(await rejection(writeMembers(file, [broken, member('m/b', 1)]))).toMatchObject({ message: 'it changed' });
    }
  });

  it('fails for a file that is shorter or longer than was said', async () => {
    for (const size of [PIECE.length * 3, PIECE.length]) {
      const { file } = fileOf(Number.POSITIVE_INFINITY);
      expect(await rejection(writeMembers(file, [member('m/a', 2, { size })]))).toBeInstanceOf(Error);
    }
  });

  it('has little of a large file in memory: reading waits for the disk', async () => {
    let read = 0;
    let isOpen: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      isOpen = resolve;
    });
    const write = async (_: Uint8Array, __: number, length: number) => {
      await opened;
      return { bytesWritten: length };
    };
    const large = member('m/a', 100, {
      async *bytes() {
        for (; read < 100; read++) yield PIECE;
      },
    });
    const writing = writeMembers({ write } as unknown as FileHandle, [large]);
    // Each turn lets everything go on that can.
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(16);
    isOpen?.();
    await writing;
    expect(read).toBe(100);
  });
});
