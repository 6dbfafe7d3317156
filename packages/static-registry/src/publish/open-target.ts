import { ModelRtcError } from '@model-rtc/protocol';
import { isS3Address, parseS3Address } from '../s3/address.ts';
import { createS3Store } from '../s3/s3-store.ts';
import type { S3Options } from '../s3/types.ts';
import { createFolderStore } from '../store/folder-store.ts';
import type { RegistryStore } from '../store/types.ts';
import { createFolderTarget } from './folder-target.ts';
import type { PublishTarget } from './target.ts';

/** A registry that can be published to, and the same one to be read. */
export interface OpenedTarget {
  readonly target: PublishTarget;
  readonly store: RegistryStore;
}

/**
 * Opens a registry to publish to it; nothing is read or written yet.
 * @param to - a folder's path, its `file:` address, or `s3://BUCKET/PREFIX`
 * @param s3 - for a bucket only
 * @throws ModelRtcError `bad_argument` for another address, or for options of S3 without a bucket
 */
export async function openPublishTarget(to: string, s3: S3Options = {}): Promise<OpenedTarget> {
  if (isS3Address(to)) {
    const address = parseS3Address(to);
    // The SDK takes a tenth of a second to load.
    const { createS3Target } = await import('../s3/s3-target.ts');
    return { target: await createS3Target(address, s3), store: createS3Store(address, s3) };
  }
  if (s3.endpoint !== undefined || s3.singlePublisher === true) {
    const option = s3.endpoint === undefined ? '--single-publisher' : '--s3-endpoint';
    throw new ModelRtcError('bad_argument', `${option} is for buckets. Pass --to s3://BUCKET/PREFIX with it.`);
  }
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(to)) {
    throw new ModelRtcError('bad_argument', `Cannot publish to "${to}". Name a folder, or s3://BUCKET/PREFIX.`);
  }
  return { target: createFolderTarget(to), store: createFolderStore(to) };
}
