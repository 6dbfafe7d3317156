export { hostOf, statusError } from './errors.ts';
export { answerFile, otherPart, rangeHeaders, readUrl } from './http-file.ts';
export { LONGEST_PATIENCE_MS, MAX_CONNECTIONS } from './limits.ts';
export { createNodeDispatcher, createNodeFetch, type NodeFetchOptions } from './node-fetch.ts';
export {
  askedWaitMs,
  type ReadingOptions,
  Retries,
  readLimited,
  readPart,
  readWhole,
} from './reading.ts';
export { type HttpRequest, type HttpResponse, requireEncryption, sendRequest } from './request.ts';
export type {
  Fetch,
  FileAnswer,
  HttpClient,
  ReadOptions,
  RemoteFile,
} from './types.ts';
