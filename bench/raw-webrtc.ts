/**
 * What one PeerConnection of an engine carries with nothing of ours around it: the baseline of the lane's speed.
 *
 *     tsx bench/raw-webrtc.ts native|werift MEGABYTES [NAMESPACE]
 *
 * Sends 64 KiB messages to a process of its own, in a loop that honours bufferedAmount, and prints JSON. The other process
 * runs in the network namespace, when one is named.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';

const MESSAGE_BYTES = 64 * 1024;
/** More makes neither engine faster; the native lane's own mark is a quarter of it, so that answers do not wait behind it. */
const HIGH_WATER_MARKS = { native: 1024 * 1024, werift: 256 * 1024 };
type Engine = keyof typeof HIGH_WATER_MARKS;

type Signal =
  | { kind: 'description'; type: 'offer' | 'answer'; sdp: string }
  | { kind: 'candidate'; candidate: string; mid: string }
  | { kind: 'done' };

interface RawChannel {
  accept(signal: Signal): void;
  readonly opened: Promise<void>;
  send(message: Buffer): void;
  bufferedAmount(): number;
  onRoom(listener: () => void): void;
  close(): void;
}

type OpenRaw = (offers: boolean, signal: (message: Signal) => void, onBytes: (count: number) => void) => RawChannel;

const requireFromTransport = createRequire(new URL('../packages/transport/package.json', import.meta.url));

const openNative: OpenRaw = (offers, signal, onBytes) => {
  const library = requireFromTransport('node-datachannel') as typeof import('node-datachannel');
  const connection = new library.PeerConnection('raw', { iceServers: [], disableAutoNegotiation: true });
  connection.onLocalDescription((sdp, type) => signal({ kind: 'description', type: type as 'offer', sdp }));
  connection.onLocalCandidate((candidate, mid) => signal({ kind: 'candidate', candidate, mid }));
  const channel = connection.createDataChannel('raw', { negotiated: true, id: 0 });
  channel.setBufferedAmountLowThreshold(HIGH_WATER_MARKS.native / 2);
  channel.onMessage((message) => onBytes((message as Buffer).length));
  // Without all of its callbacks the library keeps the process from exiting.
  channel.onClosed(() => {});
  channel.onError(() => {});
  connection.onStateChange(() => {});
  const opened = new Promise<void>((resolve) => channel.onOpen(resolve));
  if (offers) connection.setLocalDescription('offer');
  // The library's callbacks keep no order among them, so a candidate may come before the description.
  let early: { candidate: string; mid: string }[] | undefined = [];
  const add = ({ candidate, mid }: { candidate: string; mid: string }) => {
    if (early === undefined) connection.addRemoteCandidate(candidate, mid);
    else early.push({ candidate, mid });
  };
  return {
    accept(message) {
      if (message.kind === 'candidate') add(message);
      if (message.kind !== 'description') return;
      connection.setRemoteDescription(message.sdp, message.type);
      const waiting = early ?? [];
      early = undefined;
      for (const candidate of waiting) add(candidate);
      if (message.type === 'offer') connection.setLocalDescription('answer');
    },
    opened,
    send: (message) => void channel.sendMessageBinary(message),
    bufferedAmount: () => channel.bufferedAmount(),
    onRoom: (listener) => channel.onBufferedAmountLow(listener),
    close() {
      channel.close();
      connection.close();
    },
  };
};

const openWerift: OpenRaw = (offers, signal, onBytes) => {
  const library = requireFromTransport('werift') as typeof import('werift');
  const connection = new library.RTCPeerConnection({ iceServers: [] });
  connection.onIceCandidate.subscribe((candidate) => {
    if (candidate?.candidate)
      signal({ kind: 'candidate', candidate: candidate.candidate, mid: candidate.sdpMid ?? '0' });
  });
  const channel = connection.createDataChannel('raw', { negotiated: true, id: 0 });
  channel.bufferedAmountLowThreshold = HIGH_WATER_MARKS.werift / 2;
  channel.onMessage.subscribe((message) => onBytes(message.length));
  const opened = new Promise<void>((resolve) =>
    channel.stateChanged.subscribe((state) => state === 'open' && resolve()),
  );
  const describe = async (type: 'offer' | 'answer') => {
    const description = await (type === 'offer' ? connection.createOffer() : connection.createAnswer());
    void connection.setLocalDescription(description);
    signal({ kind: 'description', type, sdp: description.sdp });
  };
  if (offers) void describe('offer');
  return {
    async accept(message) {
      if (message.kind === 'candidate')
        await connection.addIceCandidate({ candidate: message.candidate, sdpMid: message.mid });
      if (message.kind !== 'description') return;
      await connection.setRemoteDescription({ type: message.type, sdp: message.sdp });
      if (message.type === 'offer') await describe('answer');
    },
    opened,
    send: (message) => channel.send(Buffer.from(message)),
    bufferedAmount: () => channel.bufferedAmount,
    onRoom: (listener) => void channel.bufferedAmountLow.subscribe(listener),
    close: () => void connection.close(),
  };
};

const OPENERS: Record<Engine, OpenRaw> = { native: openNative, werift: openWerift };

async function sendAll(engine: Engine, totalBytes: number, receiver: ChildProcess): Promise<number> {
  const channel = OPENERS[engine](
    true,
    (message) => receiver.send(message),
    () => {},
  );
  let startedMs = 0;
  const finished = new Promise<number>((resolve) => {
    receiver.on('message', (message: Signal) => {
      if (message.kind === 'done') resolve(performance.now() - startedMs);
      else channel.accept(message);
    });
  });
  await channel.opened;
  let wake = () => {};
  channel.onRoom(() => wake());
  const message = Buffer.alloc(MESSAGE_BYTES, 7);
  startedMs = performance.now();
  for (let sent = 0; sent < totalBytes; sent += MESSAGE_BYTES) {
    channel.send(message);
    while (channel.bufferedAmount() >= HIGH_WATER_MARKS[engine]) {
      await new Promise<void>((resolve) => {
        const poll = setTimeout(resolve, 10);
        wake = () => {
          clearTimeout(poll);
          resolve();
        };
      });
    }
  }
  const elapsedMs = await finished;
  channel.close();
  return elapsedMs;
}

function receiveAll(engine: Engine, totalBytes: number): void {
  let received = 0;
  const signal = (message: Signal) => void process.send?.(message);
  const channel = OPENERS[engine](false, signal, (count) => {
    received += count;
    if (received >= totalBytes) signal({ kind: 'done' });
  });
  process.on('message', (message: Signal) => channel.accept(message));
  process.on('disconnect', () => channel.close());
}

/** The receiver: this file again, told what to be by its environment. */
function startReceiver(args: readonly string[], namespace: string | undefined): ChildProcess {
  const env = { ...process.env, RAW_WEBRTC_ROLE: 'receiver' };
  const file = new URL(import.meta.url);
  if (namespace === undefined) return fork(file, args, { env });
  const execArgv = ['netns', 'exec', namespace, process.execPath, ...process.execArgv];
  return fork(file, args, { env, execPath: 'ip', execArgv });
}

const [engineName, megabytes = '100', namespace] = process.argv.slice(2);
if (engineName !== 'native' && engineName !== 'werift') throw new Error('Usage: raw-webrtc.ts native|werift MEGABYTES');
const totalBytes = Math.ceil((Number(megabytes) * 1e6) / MESSAGE_BYTES) * MESSAGE_BYTES;

if (process.env.RAW_WEBRTC_ROLE === 'receiver') receiveAll(engineName, totalBytes);
else {
  const receiver = startReceiver([engineName, megabytes], namespace);
  const elapsedMs = await sendAll(engineName, totalBytes, receiver);
  receiver.disconnect();
  console.log(JSON.stringify({ engine: engineName, bytes: totalBytes, mbPerSecond: totalBytes / 1e3 / elapsedMs }));
}
