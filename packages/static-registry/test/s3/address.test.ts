import { describe, expect, it } from '@jest/globals';
import { openPublishTarget, openStaticRegistry } from '../../src/index.ts';
import { parseS3Address, requireEndpoint } from '../../src/s3/address.ts';

describe('the address of a bucket', () => {
  it.each([
    ['s3://models', { bucket: 'models', prefix: '', url: 's3://models' }],
    ['S3://models/', { bucket: 'models', prefix: '', url: 's3://models' }],
    ['s3://my.Models_2/a/ü=b/', { bucket: 'my.Models_2', prefix: 'a/ü=b/', url: 's3://my.Models_2/a/ü=b' }],
  ])('%s is read', (text, address) => {
    expect(parseS3Address(text)).toEqual(address);
  });

  it.each([
    's3:models',
    's3://',
    's3:///x',
    's3://a/x',
    's3://key:secret@models/x',
    's3://models..x/y',
    's3://models//x',
    's3://models/../x',
    's3://models/a b',
    's3://models/a?x=1',
    's3://models/a#b',
    's3://models/a%2e',
    's3://models/\u0000',
    `s3://models/${'x'.repeat(901)}`,
  ])('%j is refused, for publishing and for reading', async (text) => {
    await expect(openPublishTarget(text)).rejects.toMatchObject({ code: 'bad_argument' });
    expect(() => openStaticRegistry({ url: text })).toThrow('is not the address of a bucket');
  });

  it('shows no secret of a refused one', () => {
    expect(() => parseS3Address('s3://key:secret@models/x')).toThrow(/^(?!.*secret@)/);
    expect(() => requireEndpoint('https://key:secret@host')).toThrow(/^(?!.*secret@)/);
  });

  it.each(['storage.example.org', 'ftp://x', 'https://', 'https://u:p@host', 'https://host?x=1'])(
    'the endpoint %s is refused',
    async (endpoint) => {
      await expect(openPublishTarget('s3://models', { endpoint })).rejects.toMatchObject({ code: 'bad_argument' });
    },
  );

  it.each([{ endpoint: 'https://host' }, { singlePublisher: true }])('%j without a bucket is refused', async (s3) => {
    await expect(openPublishTarget('/srv/models', s3)).rejects.toMatchObject({ code: 'bad_argument' });
  });
});
