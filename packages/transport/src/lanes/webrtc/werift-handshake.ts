import { verify, X509Certificate } from 'node:crypto';
import type { RTCPeerConnection } from 'werift';

type DtlsSocket = NonNullable<RTCPeerConnection['dtlsTransports'][number]['dtls']>;

/** Handshake message types of RFC 5246, section 7.4. */
const SERVER_KEY_EXCHANGE = 12;
const CERTIFICATE_VERIFY = 15;

/** SignatureAndHashAlgorithm values (RFC 5246, section 7.4.1.4.1; RFC 8446, section 4.2.3) and Node's names of their hashes. */
const HASHES: Readonly<Record<number, string>> = {
  1025: 'sha256',
  1281: 'sha384',
  1537: 'sha512',
  1027: 'sha256',
  1283: 'sha384',
  1539: 'sha512',
};

/**
 * Checks that the other side holds the private key of the DTLS certificate that it showed.
 *
 * werift 0.24 compares the certificate with the fingerprint, but it checks neither the signature of ServerKeyExchange
 * nor that of CertificateVerify. A certificate passes in the clear, so anyone on the way could show a copy of it and
 * stand in the middle. What the handshake exchanged is still there once the connection is up, and is checked then,
 * before anything is sent or received over the lane.
 *
 * @throws Error when the signature is missing or wrong
 */
export function assertHandshakeSigned(connection: RTCPeerConnection): void {
  const dtls = connection.dtlsTransports[0]?.dtls;
  const certificate = dtls?.remoteCertificate;
  if (dtls === undefined || certificate === undefined) throw new Error('the DTLS handshake left no certificate');
  const { signed, algorithm, signature } = dtls.sessionType === 1 ? serverKeyExchange(dtls) : certificateVerify(dtls);
  const hash = HASHES[algorithm];
  if (hash === undefined) throw new Error(`the DTLS handshake is signed with the unknown algorithm ${algorithm}`);
  if (!verify(hash, signed, new X509Certificate(certificate).publicKey, signature))
    throw new Error('the DTLS handshake is not signed by the key of its certificate');
}

interface HandshakeSignature {
  readonly signed: Buffer;
  readonly algorithm: number;
  readonly signature: Buffer;
}

/** The server signs both randoms and its part of the key exchange (RFC 8422, section 5.4). */
function serverKeyExchange(dtls: DtlsSocket): HandshakeSignature {
  const body = handshakeBody(dtls, SERVER_KEY_EXCHANGE);
  // curve type, named curve, length of the public key, public key; then algorithm, length, signature
  const paramsLength = 4 + body.readUInt8(3);
  const signatureLength = body.readUInt16BE(paramsLength + 2);
  const { localRandom, remoteRandom } = dtls.cipher;
  return {
    signed: Buffer.concat([localRandom.serialize(), remoteRandom.serialize(), body.subarray(0, paramsLength)]),
    algorithm: body.readUInt16BE(paramsLength),
    signature: body.subarray(paramsLength + 4, paramsLength + 4 + signatureLength),
  };
}

/** The client signs all handshake messages before this one (RFC 5246, section 7.4.8). */
function certificateVerify(dtls: DtlsSocket): HandshakeSignature {
  const body = handshakeBody(dtls, CERTIFICATE_VERIFY);
  const messages = dtls.dtls.sortedHandshakeCache;
  const before = messages.slice(
    0,
    messages.findIndex((message) => message.msg_type === CERTIFICATE_VERIFY),
  );
  return {
    signed: Buffer.concat(before.map((message) => message.serialize())),
    algorithm: body.readUInt16BE(0),
    signature: body.subarray(4, 4 + body.readUInt16BE(2)),
  };
}

function handshakeBody(dtls: DtlsSocket, type: number): Buffer {
  const message = dtls.dtls.sortedHandshakeCache.find(({ msg_type }) => msg_type === type);
  if (message === undefined) throw new Error(`the DTLS handshake lacks the signed message ${type}`);
  return message.fragment;
}
