import { ModelRtcError } from '@model-rtc/protocol';

import { MIN_LANE_MESSAGE_BYTES } from '../../core/peer/limits.ts';

/** A data channel's offer or answer with tens of candidates is 4 KiB; this leaves some room. */
const MAX_SDP_LENGTH = 32 * 1024;
/** What a side that says nothing takes (RFC 8841, section 6.1). */
const DEFAULT_MAX_MESSAGE_SIZE = 65_536;
/** No lane uses larger messages, whatever the other side would take. */
export const MAX_LANE_MESSAGE_SIZE = 256 * 1024;

/** All that a data channel needs to know of the other side. */
export interface SessionDescription {
  readonly type: 'offer' | 'answer';
  readonly mid: string;
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** The SHA-256 of the DTLS certificate as upper-case hex pairs with colons. */
  readonly fingerprint: string;
  readonly setup: 'actpass' | 'active' | 'passive';
  readonly sctpPort: number;
  /** In bytes, `MIN_LANE_MESSAGE_BYTES` to `MAX_LANE_MESSAGE_SIZE`. */
  readonly maxMessageSize: number;
  /** Candidate attributes as they came, unchecked. */
  readonly candidates: readonly string[];
}

const HEX_PAIRS = /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/;

/**
 * Reads the other side's SDP (RFC 8866, 8841) down to the few values that a data channel needs. An engine is then
 * given SDP written anew from those, so that nothing else of the text reaches its parser.
 *
 * @throws ModelRtcError `malformed_message` when it does not describe exactly one data channel with a SHA-256 fingerprint,
 * or one that no lane can be made of
 */
export function parseDescription(type: 'offer' | 'answer', sdp: string): SessionDescription {
  if (sdp.length > MAX_SDP_LENGTH) throw malformed(`it is longer than ${MAX_SDP_LENGTH} characters`);
  const lines = sdp.split(/\r\n|\n/);
  const media = lines.filter((line) => line.startsWith('m='));
  if (media.length !== 1 || !/^m=application [0-9]{1,5} UDP\/DTLS\/SCTP webrtc-datachannel$/.test(media[0] ?? ''))
    throw malformed('it does not describe exactly one data channel');
  // Such an agent leaves all checks to the other side, which no engine was tried with.
  if (lines.includes('a=ice-lite')) throw malformed('it is of an ICE-lite agent');
  const attribute = attributeReader(lines);
  return {
    type,
    mid: attribute('mid', /^[A-Za-z0-9._-]{1,32}$/),
    iceUfrag: attribute('ice-ufrag', /^[A-Za-z0-9+/]{4,256}$/),
    icePwd: attribute('ice-pwd', /^[A-Za-z0-9+/]{22,256}$/),
    fingerprint: sha256Fingerprint(lines),
    setup: attribute('setup', type === 'offer' ? /^actpass$/ : /^(active|passive)$/) as SessionDescription['setup'],
    sctpPort: sctpPort(attribute('sctp-port', /^[1-9][0-9]{0,4}$/)),
    maxMessageSize: messageSize(attribute('max-message-size', /^[0-9]{1,15}$/, String(DEFAULT_MAX_MESSAGE_SIZE))),
    candidates: lines.filter((line) => line.startsWith('a=candidate:')).map((line) => line.slice(2)),
  };
}

/** The SDP of a data channel without candidates. */
export function renderDescription(description: SessionDescription): string {
  const { mid, iceUfrag, icePwd, fingerprint, setup, sctpPort, maxMessageSize } = description;
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mid}`,
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    'a=sendrecv',
    'a=ice-options:trickle',
    `a=ice-ufrag:${iceUfrag}`,
    `a=ice-pwd:${icePwd}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=setup:${setup}`,
    `a=sctp-port:${sctpPort}`,
    `a=max-message-size:${maxMessageSize}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function attributeReader(lines: readonly string[]): (name: string, rule: RegExp, fallback?: string) => string {
  return (name, rule, fallback) => {
    const prefix = `a=${name}:`;
    const values = new Set(lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length)));
    if (values.size === 0 && fallback !== undefined) return fallback;
    const [value] = values;
    if (values.size !== 1 || value === undefined || !rule.test(value))
      throw malformed(`it has no single valid "${name}"`);
    return value;
  };
}

/** Other hashes are passed over: a fingerprint that one engine checks and the other does not would be a way in. */
function sha256Fingerprint(lines: readonly string[]): string {
  const values = new Set<string>();
  for (const line of lines) {
    const [, value] = /^a=fingerprint:sha-256 (.*)$/i.exec(line) ?? [];
    if (value !== undefined) values.add(value.trim().toUpperCase());
  }
  const [fingerprint] = values;
  if (values.size !== 1 || fingerprint === undefined || !HEX_PAIRS.test(fingerprint))
    throw malformed('it has no single SHA-256 fingerprint');
  return fingerprint;
}

function sctpPort(text: string): number {
  const port = Number(text);
  if (port > 65_535) throw malformed('its SCTP port is too large');
  return port;
}

/** 0 stands for any size (RFC 8841, section 6.1). */
function messageSize(text: string): number {
  const size = Number(text);
  if (size > 0 && size < MIN_LANE_MESSAGE_BYTES)
    throw malformed(`it takes messages of ${size} bytes, and at least ${MIN_LANE_MESSAGE_BYTES} are needed`);
  return size === 0 ? MAX_LANE_MESSAGE_SIZE : Math.min(size, MAX_LANE_MESSAGE_SIZE);
}

function malformed(reason: string): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The other side's description of its WebRTC connection is not usable: ${reason}. Check that both sides run a current model-rtc.`,
    { details: { problem: `the description of its WebRTC connection is not usable: ${reason}` } },
  );
}
