import { afterTest } from '../../../../test/support/after-test.ts';
import {
  BUCKET,
  KEY,
  REGION,
  type S3Server,
  type S3ServerOptions,
  startS3Server,
} from '../../../../test/support/s3/server.ts';
import { type OpenedTarget, openPublishTarget, type S3Options } from '../../src/index.ts';

export const PREFIX = 'registry';

export interface BucketScene extends OpenedTarget {
  readonly server: S3Server;
  /** The same bucket for another publisher. */
  open(more?: Partial<S3Options>, to?: string): Promise<OpenedTarget>;
}

/** A store with an empty bucket, and a registry in it. */
export async function bucketScene(options: S3ServerOptions = {}): Promise<BucketScene> {
  const server = await startS3Server(options);
  afterTest(() => server.close());
  const open: BucketScene['open'] = (more = {}, to = `s3://${BUCKET}/${PREFIX}`) =>
    openPublishTarget(to, { endpoint: server.url, region: REGION, credentials: KEY, ...more });
  return { server, open, ...(await open()) };
}
