import { generateKeyPairSync, type KeyLike, randomBytes, sign, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { assertHandshakeSigned } from '../../../src/lanes/webrtc/werift-handshake.ts';

/** A self-signed P-256 certificate as DTLS shows it, and its key; made for this test with openssl req -x509. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUKJT0wi6alsMDZdqyDn16kcOcdOYwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjExMTU2MzFaGA8yMTI2MTAyODExNTYz
MVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDn0
T0hdrd1HzFhniOyR7LdoxM/ZB4Ldti1nx+H1vBD5HSBeZddd/3nmEUm/EdOyzuWg
WH0jemx27Om7a0sD5AWjUzBRMB0GA1UdDgQWBBQbZZ2lXxq5dxqOvdE9jx16VvSs
pTAfBgNVHSMEGDAWgBQbZZ2lXxq5dxqOvdE9jx16VvSspTAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIDk7LktWO07J7Z+oz84axvqwgRYRfAlj2Uvt
8TK0HDa3AiEA1Yl/Hiq0K/XKq3fTYUQQSpgbEL1lGn+TGN99DL7093U=
-----END CERTIFICATE-----`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6JoWHdBjV8OY4RX0
wBiT4+d1Dw5DSxA2zmmHzcXqnb6hRANCAAQ59E9IXa3dR8xYZ4jskey3aMTP2QeC
3bYtZ8fh9bwQ+R0gXmXXXf955hFJvxHTss7loFh9I3psduzpu2tLA+QF
-----END PRIVATE KEY-----`;
const ECDSA_SHA256 = 1027;
const SERVER_KEY_EXCHANGE = 12;
const CERTIFICATE_VERIFY = 15;

interface HandshakeMessage {
  readonly msg_type: number;
  readonly fragment: Buffer;
  serialize(): Buffer;
}

/** The parts of a werift connection after its DTLS handshake that the check looks at. */
function connectionAfter(role: 'client' | 'server', messages: readonly HandshakeMessage[], randoms: [Buffer, Buffer]) {
  const [local, remote] = randoms;
  const dtls = {
    sessionType: role === 'client' ? 1 : 2,
    remoteCertificate: new X509Certificate(CERTIFICATE).raw,
    cipher: { localRandom: { serialize: () => local }, remoteRandom: { serialize: () => remote } },
    dtls: { sortedHandshakeCache: messages },
  };
  return { dtlsTransports: [{ dtls }] } as unknown as Parameters<typeof assertHandshakeSigned>[0];
}

function message(type: number, fragment: Buffer): HandshakeMessage {
  return { msg_type: type, fragment, serialize: () => Buffer.concat([Buffer.of(type), fragment]) };
}

function signatureField(signature: Buffer, algorithm = ECDSA_SHA256): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(algorithm, 0);
  head.writeUInt16BE(signature.length, 2);
  return Buffer.concat([head, signature]);
}

/** What a server sends, seen by werift as the client. */
function serverSide(key: KeyLike, options: { swapRandom?: boolean; algorithm?: number } = {}) {
  const randoms: [Buffer, Buffer] = [randomBytes(32), randomBytes(32)];
  const publicKey = randomBytes(65);
  const params = Buffer.concat([Buffer.of(3, 0, 23, publicKey.length), publicKey]);
  const signature = sign('sha256', Buffer.concat([...randoms, params]), key);
  const exchange = message(SERVER_KEY_EXCHANGE, Buffer.concat([params, signatureField(signature, options.algorithm)]));
  const seen: [Buffer, Buffer] = options.swapRandom === true ? [randomBytes(32), randoms[1]] : randoms;
  return connectionAfter('client', [message(2, randomBytes(40)), exchange], seen);
}

/** What a client sends, seen by werift as the server. */
function clientSide(key: KeyLike, changeAfterwards = false) {
  const hello = randomBytes(60);
  const before = [message(1, hello), message(16, randomBytes(66))];
  const signature = sign('sha256', Buffer.concat(before.map((one) => one.serialize())), key);
  if (changeAfterwards) hello[5] = (hello[5] ?? 0) ^ 1;
  const verify = message(CERTIFICATE_VERIFY, signatureField(signature));
  return connectionAfter('server', [...before, verify], [randomBytes(32), randomBytes(32)]);
}

const another = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

describe('the signature of a DTLS handshake', () => {
  it('passes when the key of the certificate made it, in both roles', () => {
    expect(() => assertHandshakeSigned(serverSide(KEY))).not.toThrow();
    expect(() => assertHandshakeSigned(clientSide(KEY))).not.toThrow();
  });

  it('is refused from whoever shows a copy of the certificate and has another key', () => {
    expect(() => assertHandshakeSigned(serverSide(another))).toThrow(/not signed/);
    expect(() => assertHandshakeSigned(clientSide(another))).toThrow(/not signed/);
  });

  it('is refused when it is of another handshake', () => {
    expect(() => assertHandshakeSigned(serverSide(KEY, { swapRandom: true }))).toThrow(/not signed/);
    expect(() => assertHandshakeSigned(clientSide(KEY, true))).toThrow(/not signed/);
  });

  it('is refused when it is missing, or by an algorithm that is not known', () => {
    const unsigned = connectionAfter('client', [message(2, randomBytes(40))], [randomBytes(32), randomBytes(32)]);
    expect(() => assertHandshakeSigned(unsigned)).toThrow(/lacks/);
    expect(() => assertHandshakeSigned(serverSide(KEY, { algorithm: 513 }))).toThrow(/unknown algorithm/);
  });
});
