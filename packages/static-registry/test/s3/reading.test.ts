import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readPart } from '@model-rtc/http';
import { systemClock } from '@model-rtc/protocol';
import type { S3ServerOptions } from '../../../../test/support/s3/server.ts';
import { fileIn } from '../../src/store/types.ts';
import { bucketScene, PREFIX } from './support.ts';

const BYTES = randomBytes(10_000);

/** Reads 1,000 bytes from the middle of an object. */
async function middle(ranges: NonNullable<S3ServerOptions['ranges']>) {
  const { server, store } = await bucketScene({ ranges });
  server.put(`${PREFIX}/data/file`, BYTES);
  const got: Buffer[] = [];
  const outcome = await readPart(
    fileIn(store, 'data/file'),
    { offset: 5_000, length: 1_000 },
    {
      ...{ clock: { ...systemClock, after: (_: number, call: () => void) => systemClock.after(1, call) } },
      ...{ random: () => 0, patienceMs: 1000, fileBytes: BYTES.length },
      take: (bytes) => void got.push(Buffer.from(bytes)),
    },
  );
  return { outcome, isRight: Buffer.concat(got).equals(BYTES.subarray(5_000, 6_000)) };
}

describe('a part of an object in a bucket', () => {
  it('comes from a store that keeps to ranges, and from one that ignores them', async () => {
    expect(await middle('kept')).toEqual({ outcome: 'done', isRight: true });
    expect(await middle('ignored')).toEqual({ outcome: 'done', isRight: true });
  });

  it('is not taken from a store that sends another part, or does not say which', async () => {
    await expect(middle('shifted')).rejects.toMatchObject({ code: 'network' });
    await expect(middle('unsaid')).rejects.toMatchObject({ code: 'network' });
  });
});
