/**
 * What one TLS connection of Node carries with nothing of ours around it: the baseline of direct lanes.
 *
 *     tsx bench/raw-tls.ts MEGABYTES
 *
 * Sends 64 KiB at a time to a process of its own, as its stream says that there is room, and prints JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { createCertificate } from '../packages/transport/src/lanes/direct/certificate.ts';

const WRITE_BYTES = 64 * 1024;

async function sendAll(totalBytes: number, receiver: ChildProcess): Promise<number> {
  const { privateKeyPem, certificatePem } = createCertificate();
  const server = createServer({ key: privateKeyPem, cert: certificatePem, minVersion: 'TLSv1.3' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  receiver.send({ port: (server.address() as AddressInfo).port });
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
  const finished = once(receiver, 'message');
  const bytes = Buffer.alloc(WRITE_BYTES, 7);
  const startedMs = performance.now();
  for (let sent = 0; sent < totalBytes; sent += WRITE_BYTES) {
    if (!socket.write(bytes)) await once(socket, 'drain');
  }
  await finished;
  const elapsedMs = performance.now() - startedMs;
  socket.destroy();
  server.close();
  return elapsedMs;
}

async function receiveAll(totalBytes: number): Promise<void> {
  const [{ port }] = (await once(process, 'message')) as [{ port: number }];
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  let received = 0;
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
    if (received < totalBytes) return;
    socket.destroy();
    process.send?.('done');
    process.disconnect();
  });
}

const [megabytes, role = 'sender'] = process.argv.slice(2);
if (megabytes === undefined) throw new Error('Usage: raw-tls.ts MEGABYTES');
const totalBytes = Math.ceil((Number(megabytes) * 1e6) / WRITE_BYTES) * WRITE_BYTES;

if (role === 'receiver') await receiveAll(totalBytes);
else {
  const receiver = fork(new URL(import.meta.url), [megabytes, 'receiver']);
  const elapsedMs = await sendAll(totalBytes, receiver);
  console.log(JSON.stringify({ bytes: totalBytes, mbPerSecond: totalBytes / 1e3 / elapsedMs }));
}
