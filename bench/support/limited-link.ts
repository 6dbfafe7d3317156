import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Lab } from '../../test/support/lab.ts';

/** A link that was idle lets through at once what it could have carried in this time, and no more. */
const MOST_SAVED_MS = 20;

/**
 * Puts a link with a limited rate before a port of this machine: all connections through it share the rate. (nginx limits single
 * connections only, and lets each begin with the bytes of a whole second.)
 * @param bytesPerSecond - towards whoever connects
 * @returns the port to connect to
 */
export async function limitLink(lab: Lab, port: number, bytesPerSecond: number): Promise<number> {
  const open = new Set<Socket>();
  const wait = turns(bytesPerSecond);
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const socket of [client, target]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
    const limited = async function* (bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const piece of bytes) {
        await wait(piece.length);
        yield piece;
      }
    };
    // Either side may close its connection whenever it likes.
    void pipeline(target, limited, client).catch(() => undefined);
    void pipeline(client, target).catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  lab.onEnd(async () => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as { port: number }).port;
}

/** Resolves when so many bytes may go, in the order of the calls. */
function turns(bytesPerSecond: number): (bytes: number) => Promise<void> {
  let freeAtMs = 0;
  return async (bytes) => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs - MOST_SAVED_MS) + (bytes / bytesPerSecond) * 1000;
    if (freeAtMs > nowMs) await new Promise((resolve) => setTimeout(resolve, freeAtMs - nowMs));
  };
}
