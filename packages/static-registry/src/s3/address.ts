import { ModelRtcError } from '@model-rtc/protocol';

/** Where in a bucket a registry is. */
export interface S3Address {
  readonly bucket: string;
  /** What the names of its objects begin with: nothing, or a path with a slash at its end. */
  readonly prefix: string;
  /** `s3://BUCKET/PREFIX`, without a slash at its end. */
  readonly url: string;
}

/** S3 takes keys of up to 1024 bytes, and `data/<sha256>` takes 69 of them. */
const MAX_PREFIX_BYTES = 900;

export function isS3Address(text: string): boolean {
  return /^s3:/i.test(text);
}

/** @throws ModelRtcError `bad_argument` with the rule that an address breaks */
export function parseS3Address(text: string): S3Address {
  const [, rest] = /^s3:\/\/(.*)$/is.exec(text) ?? [];
  const problem = rest === undefined ? 'it does not begin with s3://' : addressProblem(rest);
  if (rest === undefined || problem !== undefined) {
    throw new ModelRtcError(
      'bad_argument',
      `"${shown(text)}" is not the address of a bucket: ${problem}. Write it as s3://BUCKET/PREFIX.`,
    );
  }
  const [bucket = '', ...segments] = rest.replace(/\/$/, '').split('/');
  const prefix = segments.length === 0 ? '' : `${segments.join('/')}/`;
  return { bucket, prefix, url: `s3://${[bucket, ...segments].join('/')}` };
}

function addressProblem(rest: string): string | undefined {
  const [bucket = '', ...segments] = rest.replace(/\/$/, '').split('/');
  if (bucket === '') return 'it names no bucket';
  if (bucket.includes('@')) return 'keys do not belong in an address; use AWS_PROFILE or AWS_ACCESS_KEY_ID for them';
  // Old buckets, and those of other stores, have capitals and underscores.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket) || bucket.includes('..')) {
    return 'a bucket has 3 or more letters, digits, dots and dashes';
  }
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'its prefix has an empty part, "." or ".."';
  }
  if (segments.some((segment) => /[\p{Cc}\s\\?#%]/u.test(segment))) {
    return 'its prefix has a space, a control character, or one of \\ ? # %';
  }
  if (Buffer.byteLength(segments.join('/')) > MAX_PREFIX_BYTES) {
    return `its prefix has more than ${MAX_PREFIX_BYTES} bytes`;
  }
  return undefined;
}

/** Without a password, and not longer than a line. */
function shown(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//***@').slice(0, 200);
}

/** The address of a store that speaks S3. @throws ModelRtcError `bad_argument` */
export function requireEndpoint(text: string): string {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.username === '' && url.search === '' && url.hash === '';
  if (url !== undefined && isPlain) return url.href.replace(/\/+$/, '');
  throw new ModelRtcError(
    'bad_argument',
    `"${shown(text)}" is not the address of an S3 store. Write --s3-endpoint as https://HOST or http://HOST:PORT, without keys.`,
  );
}
