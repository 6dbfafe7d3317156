/**
 * What the hops of a relay carry with nothing of ours in the frames: the baseline of the relay lane.
 *
 *     tsx bench/raw-relay.ts SERVER_URL MEGABYTES
 *
 * Sends plain frames as long as a lane's longest through the relay of a signaling server that runs already, to a process
 * of its own, and prints JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { meetAtRelay, type RelayChannel } from '../packages/signaling/src/index.ts';

const FRAME_BYTES = 256 * 1024;

async function sendAll(channel: RelayChannel, totalBytes: number, receiver: ChildProcess): Promise<number> {
  const finished = once(receiver, 'message');
  const frame = Buffer.alloc(FRAME_BYTES, 7);
  const startedMs = performance.now();
  for (let sent = 0; sent < totalBytes; sent += FRAME_BYTES) await channel.send(frame);
  await finished;
  return performance.now() - startedMs;
}

async function receiveAll(channel: RelayChannel, totalBytes: number): Promise<void> {
  let received = 0;
  for await (const frame of channel.frames) {
    received += frame.length;
    if (received >= totalBytes) break;
  }
  process.send?.('done');
}

const [serverUrl = '', megabytes = '', meetingName] = process.argv.slice(2);
if (serverUrl === '' || megabytes === '') throw new Error('Usage: raw-relay.ts SERVER_URL MEGABYTES');
const totalBytes = Math.ceil((Number(megabytes) * 1e6) / FRAME_BYTES) * FRAME_BYTES;
const meeting = meetingName === undefined ? randomBytes(16) : Buffer.from(meetingName, 'hex');

if (meetingName !== undefined) {
  const channel = await meetAtRelay({ serverUrl, meeting });
  await receiveAll(channel, totalBytes);
  channel.close();
} else {
  const receiver = fork(new URL(import.meta.url), [serverUrl, megabytes, meeting.toString('hex')]);
  const channel = await meetAtRelay({ serverUrl, meeting });
  const elapsedMs = await sendAll(channel, totalBytes, receiver);
  receiver.disconnect();
  channel.close();
  console.log(JSON.stringify({ bytes: totalBytes, mbPerSecond: totalBytes / 1e3 / elapsedMs }));
}
