import { type ErrorCode, ModelRtcError } from '@model-rtc/protocol';

/** What was asked of a bucket when it failed. */
export interface S3Request {
  readonly bucket: string;
  /** The store's own address, where it is not that of AWS. */
  readonly endpoint: string | undefined;
  readonly action: 'read' | 'write' | 'list' | 'delete';
  readonly key: string;
}

/** What the SDK throws: an answer of the store that is an error, a failure on the way, or one of its own. */
interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly cause?: unknown;
  /** Of an answer about a wrong region. */
  readonly Region?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number | undefined } | undefined;
  readonly $response?: { readonly headers?: Readonly<Record<string, string | undefined>> | undefined } | undefined;
}

type Sentence = (request: S3Request, error: SdkError) => string;
type Row = readonly [code: ErrorCode, sentence: Sentence];

const CREDENTIALS =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile in ~/.aws/credentials or ~/.aws/config.';

const PERMISSIONS: Readonly<Record<S3Request['action'], string>> = {
  read: 's3:GetObject and s3:ListBucket',
  write: 's3:PutObject',
  list: 's3:ListBucket',
  delete: 's3:DeleteObject',
};

const noCredentials: Row = [
  'refused',
  ({ bucket }, { message }) => `There are no usable credentials for the bucket ${bucket} (${message}). ${CREDENTIALS}`,
];
const unknownKey: Row = ['refused', (at) => `${storeOf(at)} does not know the access key. ${CREDENTIALS}`];
const wrongSecret: Row = [
  'refused',
  (at) => `The secret access key is not that of the access key, says ${storeOf(at)}. Correct AWS_SECRET_ACCESS_KEY.`,
];
const expired: Row = [
  'refused',
  () => 'The session token has expired or is not valid. Get new credentials, for instance with "aws sso login".',
];
const denied: Row = [
  'refused',
  ({ bucket, action, key }) =>
    `These credentials may not ${action} ${key === '' ? 'objects' : key} in the bucket ${bucket}. Ask its owner for ${PERMISSIONS[action]}.`,
];
const noBucket: Row = [
  'not_found',
  (at) => `There is no bucket "${at.bucket}" at ${storeOf(at)}. Create it, or correct the address.`,
];
const wrongRegion: Row = [
  'bad_argument',
  (at, error) => {
    const region = regionIn(error);
    return region === undefined
      ? `The bucket ${at.bucket} is in another region, or behind another address. Set AWS_REGION, or correct the store's address.`
      : `The bucket ${at.bucket} is in the region ${region}. Set AWS_REGION=${region}.`;
  },
];
const wrongClock: Row = [
  'refused',
  (at) => `The clock of this machine differs too much from that of ${storeOf(at)}. Set the clock.`,
];
const slow: Row = [
  'busy',
  (at) => `${storeOf(at)} asks for fewer requests (SlowDown). Run the same command again later.`,
];
const full: Row = ['storage_full', (at) => `${storeOf(at)} has no space left for the bucket ${at.bucket}.`];
const notImplemented: Row = [
  'refused',
  (at) =>
    `${storeOf(at)} does not write on a condition, so two publishers at once could lose a version. If you are the only one who publishes there, pass --single-publisher.`,
];

/** By the store's code, or by the name of the SDK's own error. */
const BY_NAME: Readonly<Record<string, Row>> = {
  CredentialsProviderError: noCredentials,
  TokenProviderError: noCredentials,
  InvalidAccessKeyId: unknownKey,
  SignatureDoesNotMatch: wrongSecret,
  ExpiredToken: expired,
  InvalidToken: expired,
  ExpiredTokenException: expired,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  NoSuchBucket: noBucket,
  InvalidBucketName: noBucket,
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  RequestTimeTooSkewed: wrongClock,
  SlowDown: slow,
  NotImplemented: notImplemented,
  QuotaExceeded: full,
  XMinioStorageFull: full,
  InsufficientCapacity: full,
};

/** Answers to HEAD have no body, so no code. */
const BY_STATUS: Readonly<Record<number, Row>> = {
  301: wrongRegion,
  307: wrongRegion,
  401: denied,
  403: denied,
  429: slow,
  501: notImplemented,
  503: slow,
  507: full,
};

/** Any failure of a request to a store that speaks S3, with a sentence that says what to do. */
export function s3Error(thrown: unknown, request: S3Request, signal: AbortSignal | undefined): ModelRtcError {
  if (signal?.aborted === true) return ModelRtcError.from(signal.reason);
  if (thrown instanceof ModelRtcError) return thrown;
  const error = thrown as SdkError;
  const status = error.$metadata?.httpStatusCode;
  const row = BY_NAME[error.name] ?? (status === undefined ? undefined : BY_STATUS[status]);
  const details = { status, s3: error.name, bucket: request.bucket, key: request.key };
  const failed = (code: ErrorCode, sentence: string) => new ModelRtcError(code, sentence, { cause: thrown, details });
  if (row !== undefined) return failed(row[0], row[1](request, error));
  if (status === undefined) {
    const sentence = `${storeOf(request)} cannot be reached, or broke off (${error.message}). Check the network and the store's address.`;
    return failed(isOfNetwork(error) ? 'network' : 'unexpected', isOfNetwork(error) ? sentence : error.message);
  }
  const answer = `${storeOf(request)} answered HTTP ${status} (${error.name}: ${error.message}) for ${request.key}.`;
  return failed(status >= 500 ? 'network' : 'refused', answer);
}

function isOfNetwork({ name }: SdkError): boolean {
  return name === 'TimeoutError' || name === 'AbortError';
}

function storeOf({ endpoint }: S3Request): string {
  return endpoint === undefined ? 'AWS S3' : new URL(endpoint).host;
}

function regionIn({ Region: said, $response }: SdkError): string | undefined {
  const region = typeof said === 'string' ? said : $response?.headers?.['x-amz-bucket-region'];
  return region !== undefined && /^[a-z0-9-]{1,40}$/.test(region) ? region : undefined;
}
