import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createCertificate } from '../../../src/lanes/direct/certificate.ts';

describe('createCertificate', () => {
  it('makes a certificate that its own key signs, with its SHA-256 as the digest', () => {
    for (let i = 0; i < 50; i++) {
      const { privateKeyPem, certificatePem, digest } = createCertificate();
      const certificate = new X509Certificate(certificatePem);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(privateKeyPem))).toBe(true);
      expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(Buffer.from(digest).toString('hex'));
    }
  });

  it('makes one that never expires, on P-256, another each time', () => {
    const [first, second] = [createCertificate(), createCertificate()];
    const certificate = new X509Certificate(first.certificatePem);
    expect(certificate.subject).toBe('CN=model-rtc');
    expect(certificate.issuer).toBe('CN=model-rtc');
    expect([certificate.validFrom, certificate.validTo]).toEqual([
      'Jan  1 00:00:00 2000 GMT',
      'Dec 31 23:59:59 9999 GMT',
    ]);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(second.digest).not.toEqual(first.digest);
    expect(new X509Certificate(second.certificatePem).serialNumber).not.toBe(certificate.serialNumber);
  });
});
