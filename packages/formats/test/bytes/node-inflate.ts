import { constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Inflate } from '@model-rtc/formats';

const INFLATE = { gzip: gunzipSync, zlib: inflateSync, raw: inflateRawSync } as const;

/** What unpacks in the tests of this package, which has no use for Node itself. */
export const nodeInflate: Inflate = async (bytes, compression, { maxBytes, isPart }) => {
  const finishFlush = isPart ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
  try {
    return INFLATE[compression](bytes, { finishFlush, maxOutputLength: maxBytes });
  } catch {
    return undefined;
  }
};
