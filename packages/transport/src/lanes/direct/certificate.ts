import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  /** SHA-256 of the certificate's DER: what the other side pins. */
  readonly digest: Uint8Array<ArrayBuffer>;
}

/** Universal tags of ASN.1, as DER (X.690) writes them. */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
} as const;

/** 1.2.840.10045.4.3.2 (RFC 5758) and 2.5.4.3 (RFC 5280), encoded. */
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('550403', 'hex');

/**
 * A fresh key on P-256 and a certificate that it signs itself (X.509 v3, RFC 5280). It says nothing of anybody: whoever
 * connects knows its digest, and asks for nothing else. So it is always valid, and needs no clock.
 */
export function createCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(TAG.sequence, der(TAG.objectId, ECDSA_WITH_SHA256));
  const name = der(
    TAG.sequence,
    der(TAG.set, der(TAG.sequence, der(TAG.objectId, COMMON_NAME), der(TAG.utf8String, Buffer.from('model-rtc')))),
  );
  // RFC 5280, 4.1.2.5: the latter date is for certificates that do not expire.
  const validity = der(
    TAG.sequence,
    der(TAG.utcTime, Buffer.from('000101000000Z')),
    der(TAG.generalizedTime, Buffer.from('99991231235959Z')),
  );
  const version3 = der(TAG.version, der(TAG.integer, Buffer.from([2])));
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(
    TAG.sequence,
    version3,
    der(TAG.integer, serialNumber()),
    algorithm,
    name,
    validity,
    name,
    subjectKey,
  );
  const signature = sign('sha256', body, { key: privateKey, dsaEncoding: 'der' });
  const certificate = der(TAG.sequence, body, algorithm, der(TAG.bitString, Buffer.from([0]), signature));
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
    digest: certificateDigest(certificate),
  };
}

export function certificateDigest(certificateDer: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(certificateDer).digest());
}

/** Positive and without a leading zero, as DER wants integers. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

/** A tag, the length of all the content, and the content. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([Buffer.from([tag, ...derLength(length)]), ...content]);
}

function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
}
