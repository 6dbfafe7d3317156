/**
 * Feeds an engine what a hostile other side could send: `hostile-process.ts native|werift`. Prints the error code of
 * each attempt, and has to end by itself.
 */
import type { ExchangeMessage } from '@model-rtc/protocol';
import { answerLane, offerLane } from '../../../src/lanes/webrtc/connect-lane.ts';
import type { EngineName } from '../../../src/lanes/webrtc/engine.ts';
import { loadEngine } from '../../../src/lanes/webrtc/load-engine.ts';

const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':');
const VALID = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  `a=fingerprint:sha-256 ${FINGERPRINT}`,
  'a=setup:actpass',
  'a=sctp-port:5000',
].join('\r\n');
const HOSTILE_SDP = [
  '',
  'v=0',
  '\0\r\n\0',
  'a='.repeat(10_000),
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n'.repeat(100),
  VALID.replace(FINGERPRINT, 'AB'),
  VALID.replace('a=sctp-port:5000', 'a=sctp-port:99999999999999999999'),
  VALID.replace('m=application', 'm=video'),
  `${VALID}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 opus/48000`,
  `${VALID}\r\na=ice-ufrag:${'x'.repeat(5000)}`,
  // Valid, but nobody is there, whatever junk comes along.
  `${VALID}\r\na=candidate:1 1 UDP 4294967295 255.255.255.255 1 typ host\r\na=junk:${'\u{1F4A5}'.repeat(100)}`,
  VALID,
];
const HOSTILE_CANDIDATES = [
  '',
  'candidate:',
  'candidate:1 1 UDP 99999999999999999999 1.2.3.4 5 typ host',
  'candidate:1 1 UDP 1 999.1.1.1 5 typ host',
  'candidate:1 1 UDP 1 d5b9cf6a-0000.local 5 typ host',
  'candidate:1 1 UDP 1 ::ffff:127.0.0.1 5 typ host',
  `candidate:${'x'.repeat(4000)} 1 UDP 1 127.0.0.1 5 typ host`,
  'candidate:1 1 UDP 1 127.0.0.1 1 typ host',
  'candidate:1 1 UDP 1 fe80::1%eth0 5 typ host',
];

const engine = await loadEngine(process.argv[2] as EngineName);

async function attempt(role: 'offer' | 'answer', sdp: string): Promise<string> {
  async function* receive(): AsyncGenerator<ExchangeMessage> {
    yield { type: 'candidate', lane: 0, candidate: 'early nonsense', mid: '\0' };
    if (role === 'offer') yield { type: 'answer', lane: 0, sdp: sdp.replace('actpass', 'active') };
    else yield { type: 'offer', lane: 0, engine: 'x', sdp };
    for (const candidate of HOSTILE_CANDIDATES) yield { type: 'candidate', lane: 0, candidate, mid: 'no such' };
    yield { type: 'answer', lane: 0, sdp: 'a second description' };
  }
  const connect = role === 'offer' ? offerLane : answerLane;
  return connect({ engine, receive: receive(), send() {}, timeoutMs: 300 }).then(
    () => 'opened',
    (error) => error.code,
  );
}

for (const sdp of HOSTILE_SDP) console.log(await attempt('offer', sdp), await attempt('answer', sdp));

// A check that was forgotten must not be a crash either: this is past the checks, straight into the engine.
for (const junk of ['\0', 'x'.repeat(100_000), '%n%s', '\r\na=x']) {
  const connection = engine.connect({
    iceServers: [],
    events: { onCandidate() {}, onOpen() {}, onMessage() {}, onRoom() {}, onLost() {} },
  });
  const description = {
    type: 'offer',
    mid: junk,
    iceUfrag: junk,
    icePwd: junk,
    fingerprint: junk,
    setup: 'active',
    sctpPort: 5000,
    maxMessageSize: 1,
    candidates: [],
  } as const;
  const errors = [
    await connection.acceptOffer(description).then(String, String),
    await connection.addCandidate(junk).then(String, String),
  ];
  console.error(errors);
  connection.close();
  connection.close();
}
console.log('survived');
