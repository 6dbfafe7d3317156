/**
 * The least that moving a file over TLS costs in Node when it arrives verified and on the disk: chunks of 1 MiB are read, sent over one
 * connection, checked by their SHA-256 and written by a thread that hashes the whole file as well, and flushed. No protocol, no
 * frames, no second lane, nothing to resume.
 *
 *     tsx bench/raw-verified.ts FILE COPY
 *
 * Sends FILE to a process of its own, which writes COPY, and prints JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createCertificate } from '../packages/transport/src/lanes/direct/certificate.ts';

const CHUNK_BYTES = 1024 * 1024;
const TLS_RECORD_BYTES = 16 * 1024;
/** Chunks that are in memory at once at the receiver. */
const BUFFERS = 16;
const CIPHERS = 'TLS_AES_128_GCM_SHA256';

/** @returns milliseconds from the connection to the flushed copy */
async function sendFile(file: string, receiver: ChildProcess): Promise<{ bytes: number; elapsedMs: number }> {
  const { privateKeyPem, certificatePem } = createCertificate();
  const server = createServer({ key: privateKeyPem, cert: certificatePem, minVersion: 'TLSv1.3', ciphers: CIPHERS });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using handle = await open(file);
  const totalBytes = (await handle.stat()).size;
  receiver.send({ port: (server.address() as AddressInfo).port, totalBytes });
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
  const finished = once(receiver, 'message');
  const startedMs = performance.now();
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const;
  const read = (turn: number, at: number) => handle.read(buffers[turn % 2 === 0 ? 0 : 1], 0, CHUNK_BYTES, at);
  let next = read(0, 0);
  for (let turn = 0, at = 0; at < totalBytes; turn += 1) {
    const { buffer, bytesRead } = await next;
    at += bytesRead;
    const written = new Promise<unknown>((resolve) => socket.write(buffer.subarray(0, bytesRead), resolve));
    if (at < totalBytes) next = read(turn + 1, at);
    await written;
  }
  await finished;
  const elapsedMs = performance.now() - startedMs;
  socket.destroy();
  server.close();
  return { bytes: totalBytes, elapsedMs };
}

async function receiveFile(copy: string): Promise<void> {
  const [{ port, totalBytes }] = (await once(process, 'message')) as [{ port: number; totalBytes: number }];
  const buffers = Array.from({ length: BUFFERS }, () => new SharedArrayBuffer(CHUNK_BYTES));
  const views = buffers.map((buffer) => Buffer.from(buffer));
  const free = buffers.map((_, i) => i);
  // Node 20 gives its threads no loader of TypeScript.
  const workerData = { copy, buffers, totalBytes };
  const disk = new Worker(new URL('./raw-verified-disk.mjs', import.meta.url), { workerData, execArgv: [] });
  const record = new Uint8Array(TLS_RECORD_BYTES);
  let offset = 0;
  let filled = 0;
  /** What came while no buffer was free: at most what TLS had at hand when it was told to stop. */
  let late: Uint8Array[] = [];
  const take = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) {
      const buffer = free[0];
      if (buffer === undefined) {
        late.push(bytes.slice(at));
        socket.pause();
        return;
      }
      const size = Math.min(CHUNK_BYTES, totalBytes - offset);
      const part = bytes.subarray(at, at + size - filled);
      (views[buffer] as Buffer).fill(part, filled, filled + part.length);
      filled += part.length;
      at += part.length;
      if (filled < size) continue;
      disk.postMessage({ buffer, size, offset });
      free.shift();
      offset += size;
      filled = 0;
    }
  };
  const onread = {
    buffer: record,
    callback: (bytes: number) => {
      take(record.subarray(0, bytes));
      return true;
    },
  };
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, onread } as ConnectionOptions);
  disk.on('message', (buffer: number) => {
    free.push(buffer);
    const waiting = late;
    late = [];
    for (const bytes of waiting) take(bytes);
    if (late.length === 0) socket.resume();
  });
  await once(disk, 'exit');
  socket.destroy();
  process.send?.('done');
  process.disconnect();
}

const [file, copy, role = 'sender'] = process.argv.slice(2);
if (file === undefined || copy === undefined) throw new Error('Usage: raw-verified.ts FILE COPY');

if (role === 'receiver') await receiveFile(copy);
else {
  const { bytes, elapsedMs } = await sendFile(file, fork(fileURLToPath(import.meta.url), [file, copy, 'receiver']));
  console.log(JSON.stringify({ bytes, mbPerSecond: bytes / 1e3 / elapsedMs }));
}
