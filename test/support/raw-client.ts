/**
 * A client that keeps to no schema: it connects like an honest one and then sends what it is told to. Run as a process of
 * its own: standard input is one JSON value `{session, requests: [{method, params}]}`, standard output one line of JSON
 * for each answer.
 */
import { text } from 'node:stream/consumers';
import {
  createVisitorSeal,
  decodeExchange,
  decodeMessage,
  type ExchangeMessage,
  encodeExchange,
  isFrame,
  packValue,
  parseSessionToken,
  roomOf,
} from '@model-rtc/protocol';
import { type Link, visit } from '@model-rtc/signaling';
import { type Lane, loadEngine, offerLane } from '@model-rtc/transport';

interface Task {
  readonly session: string;
  readonly requests: readonly { readonly method: string; readonly params: unknown }[];
}

async function connectRaw(session: string): Promise<{ lane: Lane; link: Link }> {
  const token = parseSessionToken(session);
  const link = await visit({ urls: token.urls, room: roomOf(token.workerKey), timeoutMs: 10_000 });
  const seal = createVisitorSeal({ token });
  const receive = async function* (): AsyncGenerator<ExchangeMessage> {
    for await (const envelope of link.messages) {
      const message = decodeExchange(seal.open(envelope).bytes);
      if (message !== undefined) yield message;
    }
  };
  const lane = await offerLane({
    engine: await loadEngine('auto'),
    lane: 1,
    send: (message) => link.send(seal.seal(encodeExchange(message))),
    receive: receive(),
  });
  return { lane, link };
}

const task = JSON.parse(await text(process.stdin)) as Task;
const { lane, link } = await connectRaw(task.session);
await lane.send(
  packValue({
    type: 'hello',
    protocol: { major: 1, minor: 0 },
    agent: { role: 'client', name: 'raw', version: '0' },
    capabilities: [],
    limits: { maxMessageBytes: 65_536, maxOpenRequests: 8 },
  }),
);
for (const [id, { method, params }] of task.requests.entries()) {
  await lane.send(packValue({ type: 'request', id, method, params }));
}
let left = task.requests.length;
for await (const bytes of lane.messages) {
  if (isFrame(bytes)) continue;
  const message = decodeMessage(bytes);
  if (message.type === 'ping') await lane.send(packValue({ type: 'pong', nonce: message.nonce }));
  if (message.type !== 'reply' && message.type !== 'error') continue;
  process.stdout.write(`${JSON.stringify(message)}\n`);
  left--;
  if (left === 0) break;
}
await lane.close();
link.close();
process.exit(0);
