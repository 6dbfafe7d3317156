import {
  type Clock,
  decodeMessage,
  deferred,
  encodeMessage,
  type Hello,
  isFrame,
  MAX_MESSAGE_BYTES,
  MAX_OPEN_REQUESTS,
  MAX_PLAIN_MESSAGE_BYTES,
  type Message,
  ModelRtcError,
  PROTOCOL_VERSION,
  unpackValue,
} from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import { notUnderstoodError } from './errors.ts';
import { HELLO_TIMEOUT_MS } from './limits.ts';

/** The capability to take chunk frames without xxh64, over lanes whose records have their own MAC. */
export const UNSUMMED = 'unsummed';

/** What this side says of itself. */
export interface AgentHello {
  readonly role: 'worker' | 'client';
  readonly name: string;
  readonly version: string;
  /** Optional abilities; the other side ignores those that it does not know. */
  readonly capabilities?: readonly string[] | undefined;
}

/** The first message of the other side that is not an error of it: its hello, or the bye that it says in place of one. */
export type FirstMessage = Extract<Message, { type: 'hello' | 'bye' }>;

/**
 * The first exchange on a lane: both sides say hello at once. The lane stays open when it fails.
 *
 * @returns what the other side said.
 * @throws ModelRtcError `protocol_mismatch` for another major version; `malformed_message` for anything but a hello or bye;
 * `timeout` when it says nothing; what ended the lane.
 */
export async function exchangeHello(lane: Lane, agent: AgentHello, clock: Clock): Promise<FirstMessage> {
  const late = deferred<never>();
  const stopTimer = clock.after(HELLO_TIMEOUT_MS, () => late.reject(silentError()));
  try {
    const theirs = receiveFirst(lane);
    await Promise.race([Promise.all([lane.send(encodeMessage(ourHello(agent))), theirs]), late.promise]);
    return await theirs;
  } finally {
    stopTimer();
  }
}

function ourHello(agent: AgentHello): Hello {
  const { role, name, version, capabilities = [] } = agent;
  return {
    type: 'hello',
    protocol: { ...PROTOCOL_VERSION },
    // A name is for people; one that is too long for the protocol must not prevent a connection.
    agent: { role, name: name.slice(0, 256), version: version.slice(0, 64) },
    capabilities: [UNSUMMED, ...capabilities],
    limits: { maxMessageBytes: MAX_MESSAGE_BYTES, maxOpenRequests: MAX_OPEN_REQUESTS },
  };
}

async function receiveFirst(lane: Lane): Promise<FirstMessage> {
  for await (const bytes of lane.messages) return parseFirst(bytes);
  throw (await lane.closed) ?? new ModelRtcError('network', 'The other side closed the connection at once; try again.');
}

function parseFirst(bytes: Uint8Array): FirstMessage {
  try {
    if (isFrame(bytes)) throw new ModelRtcError('malformed_message', 'a frame comes before hello');
    if (bytes.length > MAX_PLAIN_MESSAGE_BYTES) throw new ModelRtcError('malformed_message', 'a hello is too long');
    assertSameMajor(unpackValue(bytes));
    const message = decodeMessage(bytes);
    if (message.type === 'hello' || message.type === 'bye') return message;
    throw new ModelRtcError('malformed_message', `a "${message.type}" comes before hello`);
  } catch (error) {
    const known = ModelRtcError.from(error);
    throw known.code === 'malformed_message' ? notUnderstoodError(known) : known;
  }
}

/** Checked first, since the rest of another major version's hello may differ. */
function assertSameMajor(value: unknown): void {
  const hello = (value ?? {}) as { type?: unknown; protocol?: { major?: unknown }; agent?: { role?: unknown } };
  const major = hello.protocol?.major;
  if (hello.type !== 'hello' || typeof major !== 'number' || major === PROTOCOL_VERSION.major) return;
  const them = hello.agent?.role === 'worker' ? 'the worker' : 'the other side';
  const isOurs = major > PROTOCOL_VERSION.major;
  const remedy = isOurs ? 'upgrade model-rtc on this machine' : `upgrade model-rtc on the machine of ${them}`;
  throw new ModelRtcError(
    'protocol_mismatch',
    `This machine speaks version ${PROTOCOL_VERSION.major} of the protocol and ${them} version ${major}; ${remedy}.`,
    { details: { ours: PROTOCOL_VERSION.major, theirs: major, upgrade: isOurs ? 'this side' : 'other side' } },
  );
}

function silentError(): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `The other side opened a connection and then said nothing for ${HELLO_TIMEOUT_MS / 1000} s; try again.`,
  );
}
