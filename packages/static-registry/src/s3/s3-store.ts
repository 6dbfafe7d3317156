import type { RegistryStore } from '../store/types.ts';
import type { S3Address } from './address.ts';
import type { Bucket } from './bucket.ts';
import type { S3Options } from './types.ts';

/** A static registry in a bucket, read with credentials: for buckets that are not public. The SDK is loaded by the first reading. */
export function createS3Store(address: S3Address, options: S3Options): RegistryStore {
  let opening: Promise<Bucket> | undefined;
  return {
    url: address.url,
    async read(path, read = {}) {
      opening ??= import('./bucket.ts').then(({ Bucket: bucket }) => bucket.open(address, options));
      return await (await opening).read(path, read);
    },
  };
}
