/** Everything that an import needs; loaded only when a model is imported, since the parsers take their time. */
export { hashFiles } from '../hash/hash-files.ts';
export { type ScanOptions, scanModel } from './scan-model.ts';
export type { ScannedFile, ScannedModel, SkippedPath } from './scanned-model.ts';
