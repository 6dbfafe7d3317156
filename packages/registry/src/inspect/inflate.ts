import { promisify } from 'node:util';
import { constants, gunzip, inflateRaw, inflate as inflateZlib } from 'node:zlib';
import type { Inflate } from '@model-rtc/formats';

const INFLATE = { gzip: promisify(gunzip), zlib: promisify(inflateZlib), raw: promisify(inflateRaw) } as const;

/** Unpacks with Node's zlib, off the main thread. */
export const inflate: Inflate = async (bytes, compression, { maxBytes, isPart }) => {
  // The flag takes an end in the middle of the content for no error.
  const finishFlush = isPart ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
  try {
    return await INFLATE[compression](bytes, { finishFlush, maxOutputLength: maxBytes });
  } catch {
    // Damaged, or a bomb: the caller says that it cannot be read.
    return undefined;
  }
};
