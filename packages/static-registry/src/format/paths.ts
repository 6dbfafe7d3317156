import type { Digest } from '@model-rtc/protocol';

/** The list of models. */
export const LIST_PATH = 'models.json';
/** The signatures over the list; where nobody signs, it is not there. */
export const SIGNATURES_PATH = 'models.json.sig';

/** Where a manifest or chunk lies. */
export function dataPath(hash: Digest): string {
  return `data/${hash}`;
}

/** What a web server says of a file. */
export interface FileHeaders {
  readonly contentType: string;
  readonly cacheControl: string;
}

/** A year, in seconds: the longest that caches keep anything. */
const IMMUTABLE_SECONDS = 365 * 24 * 3600;

/** A file in `data/` never changes. */
export const DATA_HEADERS: FileHeaders = {
  contentType: 'application/octet-stream',
  cacheControl: `public, max-age=${IMMUTABLE_SECONDS}, immutable`,
};

/** The list and its signatures are asked for again each time. */
export const NAMED_HEADERS: FileHeaders = { contentType: 'application/json', cacheControl: 'no-cache' };
