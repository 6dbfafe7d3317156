/** What a data channel's SDP says, as docs/protocol.md has it. */
interface Said {
  readonly mid: string;
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: string;
  readonly setup: string;
  readonly sctpPort: number;
  readonly maxMessageSize: number;
  readonly candidates: readonly string[];
}

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (0xa0 + i).toString(16).toUpperCase()).join(':');
const OTHER_FINGERPRINT = FINGERPRINT.split(':').reverse().join(':');
const LINES = [
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
];
const OFFERED: Said = {
  mid: '0',
  iceUfrag: 'abcd',
  icePwd: 'abcdefghijklmnopqrstuvwx',
  fingerprint: FINGERPRINT,
  setup: 'actpass',
  sctpPort: 5000,
  maxMessageSize: 65_536,
  candidates: [],
};
const CANDIDATES = [
  'candidate:1 1 UDP 2122317823 192.168.1.5 50000 typ host',
  'candidate:2 1 udp 1686109951 203.0.113.9 50001 typ srflx raddr 192.168.1.5 rport 50000',
];

type Type = 'offer' | 'answer';
type Change = (lines: readonly string[]) => readonly string[];

const adding =
  (...more: string[]): Change =>
  (lines) => [...lines, ...more];
const without =
  (start: string): Change =>
  (lines) =>
    lines.filter((line) => !line.startsWith(start));
const with_ =
  (start: string, line: string): Change =>
  (lines) =>
    lines.map((old) => (old.startsWith(start) ? line : old));
const size = (bytes: string): Change => adding(`a=max-message-size:${bytes}`);
const same: Change = (lines) => lines;

function text(change: Change, end = '\r\n'): string {
  return `${change(LINES).join(end)}${end}`;
}

function accepted(): { name: string; type: Type; sdp: string; says: Said }[] {
  const session = ['a=ice-ufrag', 'a=ice-pwd', 'a=fingerprint', 'a=setup'];
  const isOfSession = (line: string) => session.some((start) => line.startsWith(start));
  const cases: [string, Change, Partial<Said>, Type?][] = [
    ['the least that is needed', same, {}],
    [
      'what is of no meaning here',
      adding('a=extmap-allow-mixed', 'b=AS:30', 'a=ice-options:trickle', 'a=sendrecv'),
      {},
    ],
    ['candidates', adding(...CANDIDATES.map((candidate) => `a=${candidate}`)), { candidates: CANDIDATES }],
    [
      'attributes of the session, above the m= line',
      (lines) => [...lines.filter(isOfSession), ...lines.filter((line) => !isOfSession(line))],
      {},
    ],
    ['an attribute twice with the same value', adding('a=ice-ufrag:abcd'), {}],
    ['a fingerprint in lower case', with_('a=fingerprint', `a=fingerprint:SHA-256 ${FINGERPRINT.toLowerCase()}`), {}],
    ['fingerprints of other hashes beside it', adding('a=fingerprint:sha-1 AB:CD', 'a=fingerprint:md5 00'), {}],
    ['the shortest messages that are taken', size('4096'), { maxMessageSize: 4096 }],
    ['longer messages than any lane has', size('1073741823'), { maxMessageSize: 262_144 }],
    ['messages without bound', size('0'), { maxMessageSize: 262_144 }],
    ['another port of SCTP', with_('a=sctp-port', 'a=sctp-port:65535'), { sctpPort: 65_535 }],
    ['an answer of who begins', with_('a=setup', 'a=setup:active'), { setup: 'active' }, 'answer'],
    ['an answer of who waits', with_('a=setup', 'a=setup:passive'), { setup: 'passive' }, 'answer'],
  ];
  const all = cases.map(([name, change, said, type = 'offer']) => {
    return { name, type, sdp: text(change), says: { ...OFFERED, ...said } };
  });
  return [...all, { name: 'lines that end with LF', type: 'offer', sdp: text(same, '\n'), says: OFFERED }];
}

function refused(): { name: string; type: Type; sdp: string }[] {
  const cases: [string, Change, Type?][] = [
    ['nothing', () => []],
    ['no channel', without('m=')],
    ['two channels', adding('m=application 9 UDP/DTLS/SCTP webrtc-datachannel')],
    ['a channel and sound', adding('m=audio 9 UDP/TLS/RTP/SAVPF 96')],
    ['a picture', with_('m=', 'm=video 9 UDP/TLS/RTP/SAVPF 96')],
    ['the form of an early draft', with_('m=', 'm=application 9 DTLS/SCTP 5000')],
    ['a channel over TCP', with_('m=', 'm=application 9 TCP/DTLS/SCTP webrtc-datachannel')],
    ...['mid', 'ice-ufrag', 'ice-pwd', 'fingerprint', 'setup', 'sctp-port'].map((name): [string, Change] => [
      `no ${name}`,
      without(`a=${name}`),
    ]),
    ['two values of ice-ufrag', adding('a=ice-ufrag:efgh')],
    ['two values of ice-pwd', adding('a=ice-pwd:zzzzzzzzzzzzzzzzzzzzzzzz')],
    ['two fingerprints', adding(`a=fingerprint:sha-256 ${OTHER_FINGERPRINT}`)],
    ['a fingerprint of SHA-1 alone', with_('a=fingerprint', `a=fingerprint:sha-1 ${FINGERPRINT.slice(0, 59)}`)],
    ['a fingerprint that is cut off', with_('a=fingerprint', `a=fingerprint:sha-256 ${FINGERPRINT.slice(0, 92)}`)],
    ['a short ice-ufrag', with_('a=ice-ufrag', 'a=ice-ufrag:abc')],
    ['a short ice-pwd', with_('a=ice-pwd', 'a=ice-pwd:abcdefghijklmnopqrstu')],
    ['a mid with a space', with_('a=mid', 'a=mid:a b')],
    ['an offer of who begins', with_('a=setup', 'a=setup:active')],
    ['an answer that leaves open who begins', same, 'answer'],
    ['port 0 of SCTP', with_('a=sctp-port', 'a=sctp-port:0')],
    ['a port of SCTP that is none', with_('a=sctp-port', 'a=sctp-port:65536')],
    ['messages shorter than 4096 bytes', size('4095')],
    ['a size of messages that is no number', size('64k')],
    ['an agent with ICE-lite', (lines) => [...lines.slice(0, 4), 'a=ice-lite', ...lines.slice(4)]],
    ['more than 32,768 characters', adding(`a=x:${'x'.repeat(32_768)}`)],
  ];
  return cases.map(([name, change, type = 'offer']) => ({ name, type, sdp: text(change) }));
}

export function descriptionVectors() {
  return {
    description:
      'SDPs of offers and answers. "says" is what is read of an accepted one; "maxMessageSize" is no more than a lane has.',
    accepted: accepted(),
    refused: refused(),
    candidates: {
      used: CANDIDATES.concat('candidate:3 1 UDP 1 2001:db8::5 50002 typ host'),
      passedOver: [
        '',
        'candidate:',
        'candidate:1 1 TCP 1518214911 192.168.1.5 9 typ host tcptype active',
        'candidate:1 1 UDP 2122317823 d5b9cf6a-0000-4000-8000-000000000000.local 50000 typ host',
        'candidate:1 1 UDP 2122317823 host.example 50000 typ host',
        'candidate:1 2 UDP 2122317823 192.168.1.5 50000 typ host',
      ],
    },
  };
}
