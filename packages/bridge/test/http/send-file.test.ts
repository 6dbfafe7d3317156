import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createPieces } from '../../src/http/pieces.ts';
import { sendFile } from '../../src/http/send-file.ts';
import { LARGE_PIECE_BYTES, MAX_LARGE_PIECES, PIECE_BYTES } from '../../src/limits.ts';
import type { FileBytes } from '../../src/types.ts';
import { afterTest, ask } from '../support.ts';

const SHA256 = 'ab'.repeat(32);

/** A server of one file whose bytes say where they are: each is a digit of its place. `onRead` sees each read. */
async function serve(size: number, onRead: (offset: number) => void | Promise<void> = () => {}) {
  const pieces = createPieces();
  const seen = { closed: 0 };
  const file = { path: 'a/model.bin', size, sha256: SHA256 };
  const open = async (): Promise<FileBytes> => ({
    async read(offset, into) {
      await onRead(offset);
      for (let i = 0; i < into.length; i++) into[i] = 48 + ((offset + i) % 10);
      return into.length;
    },
    async close() {
      seen.closed++;
    },
  });
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const asked = { request, response, method: request.method ?? '', path: [], query: new URLSearchParams() };
    sendFile({ ...asked, origin: '', signal: gone.signal }, { file, open, pieces, onSent: () => {} }).catch(() =>
      response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, pieces, seen };
}

describe('a file larger than 4 GiB', () => {
  const SIZE = 5 * 1024 ** 3 + 3;

  it('is given from any place of it', async () => {
    const { url } = await serve(SIZE);
    expect((await ask(url, { method: 'HEAD' })).headers['content-length']).toBe(String(SIZE));
    const around = 2 ** 32 - 5;
    const middle = await ask(url, { headers: { range: `bytes=${around}-${around + 9}` } });
    expect([middle.status, middle.headers['content-range']]).toEqual([206, `bytes ${around}-${around + 9}/${SIZE}`]);
    expect(middle.body.toString()).toBe('1234567890');
    const end = await ask(url, { headers: { range: 'bytes=-3' } });
    expect([end.body.toString(), end.headers['content-range']]).toEqual([
      '012',
      `bytes ${SIZE - 3}-${SIZE - 1}/${SIZE}`,
    ]);
  });
});

describe('a client that is gone', () => {
  it('has its file closed, and leaves the memory to others', async () => {
    let reads = 0;
    const { port, pieces, seen } = await serve(1024 ** 4, () => void reads++);
    for (let i = 0; i < 8; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
    }
    while (seen.closed < 8) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(pieces.take()).toHaveLength(LARGE_PIECE_BYTES);
    expect(reads).toBeLessThan(8 * 40);
  });

  it('takes no more memory than its window while it does not read', async () => {
    let furthest = 0;
    const { port } = await serve(1024 ** 4, (offset) => {
      furthest = Math.max(furthest, offset);
    });
    const socket = connect(port, '127.0.0.1');
    afterTest(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    let before = -1;
    // Until it reads no further: the buffers of both ends of the connection are full.
    while (before !== furthest) {
      before = furthest;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(furthest).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('pieces of memory', () => {
  it('are large for a few downloads, and small for those beyond', () => {
    const pieces = createPieces();
    const taken = Array.from({ length: MAX_LARGE_PIECES + 2 }, () => pieces.take());
    expect(taken.map(({ length }) => length)).toEqual([
      ...Array.from({ length: MAX_LARGE_PIECES }, () => LARGE_PIECE_BYTES),
      ...[PIECE_BYTES, PIECE_BYTES],
    ]);
    pieces.giveBack(taken[0] as Buffer);
    expect(pieces.take()).toBe(taken[0]);
    pieces.forget(taken[1] as Buffer);
    expect(pieces.take()).not.toBe(taken[1]);
  });
});
