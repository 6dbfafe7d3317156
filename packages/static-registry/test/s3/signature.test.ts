import { describe, expect, it } from '@jest/globals';
import { refusalOf, type SignedRequest, sha256, signatureOf } from '../../../../test/support/s3/signature.ts';

/** The example "GET Object" in AWS's description of Signature Version 4 for S3. */
const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const names = ['host', 'range', 'x-amz-content-sha256', 'x-amz-date'];
const signature = 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';
const scope = `${key.accessKeyId}/20130524/us-east-1/s3/aws4_request`;
const request: SignedRequest = {
  method: 'GET',
  url: '/test.txt',
  bodySha256: sha256(''),
  headers: {
    host: 'examplebucket.s3.amazonaws.com',
    range: 'bytes=0-9',
    'x-amz-content-sha256': sha256(''),
    'x-amz-date': '20130524T000000Z',
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  },
};
const store = { keys: [key], region: 'us-east-1', nowMs: Date.UTC(2013, 4, 24) };

describe('the store that these tests run against', () => {
  it('signs as the example of AWS does', () => {
    expect(signatureOf(request, names, { key, day: '20130524', region: 'us-east-1' })).toBe(signature);
    expect(refusalOf(request, store)).toBeUndefined();
  });

  it.each<[string, Partial<SignedRequest>, string]>([
    ['another path', { url: '/test2.txt' }, 'SignatureDoesNotMatch'],
    ['another body', { bodySha256: sha256('x') }, 'XAmzContentSHA256Mismatch'],
    ['another range', { headers: { ...request.headers, range: 'bytes=0-99' } }, 'SignatureDoesNotMatch'],
    ['a header that is not signed', { headers: { ...request.headers, 'x-amz-acl': 'private' } }, 'AccessDenied'],
    ['no signature', { headers: { host: 'x' } }, 'AccessDenied'],
  ])('refuses %s', (_, change, code) => {
    expect(refusalOf({ ...request, ...change }, store)).toMatchObject({ code });
  });

  it('refuses a request of long ago', () => {
    expect(refusalOf(request, { ...store, nowMs: Date.now() })).toMatchObject({ code: 'RequestTimeTooSkewed' });
  });
});
