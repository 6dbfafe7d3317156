import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { digestOf, extentsAt, type Layout, placesOf } from '../layout/layout.ts';
import { MAX_REFETCHES, MAX_WRONG_CHUNKS } from '../limits.ts';
import type { Miss } from './chunk-request.ts';
import type { StallWarning } from './progress.ts';
import type { TransferStats } from './stats.ts';

/** How much of a transfer that ends early is kept. */
type Kept = Pick<TransferStats, 'doneBytes' | 'totalBytes'>;

/** How a transfer was when it was given up. */
export interface QuietEnd {
  /** Bytes came, but no chunk got whole. */
  readonly isFlowing: boolean;
  /** How long that had to last. */
  readonly limitMs: number;
  /** What people call the sources that say that they do not have the rest. */
  readonly empty: readonly string[];
}

/** @param last - the error of the last source that went, if there was one */
export function noSourceLeft(last: ModelRtcError | undefined): ModelRtcError {
  if (last === undefined) return new ModelRtcError('network', 'There is no source to fetch the model from.');
  // The source was cancelled, not this transfer.
  return last.code === 'cancelled' ? new ModelRtcError('network', last.message, { cause: last }) : last;
}

export function timedOut(how: QuietEnd, last: ModelRtcError | undefined, kept: Kept): ModelRtcError {
  const message = `${whyQuiet(how)}, so the transfer was given up.`;
  return resumable(new ModelRtcError('timeout', message, { cause: last }), `${message} ${bytesKept(kept)} Run`, kept);
}

function whyQuiet({ isFlowing, limitMs, empty }: QuietEnd): string {
  if (isFlowing) return `The connection is so slow that nothing came whole in ${Math.round(limitMs / 60_000)} min`;
  if (empty.length === 0) return `No data came for ${limitMs / 1000} s`;
  return `${empty.join(', ')} did not have the rest for ${limitMs / 1000} s`;
}

export function stallWarning(quietMs: number, giveUpMs: number): StallWarning {
  const message = `No data came for ${Math.round(quietMs / 1000)} s; the transfer is given up after ${giveUpMs / 1000} s.`;
  return { kind: 'stalled', quietMs, message };
}

/** A disk's error with how much is kept, so that the next attempt goes on from there. */
export function withState(error: ModelRtcError, kept: Kept): ModelRtcError {
  if (error.code !== 'storage_full' && error.code !== 'storage') return error;
  const { doneBytes, totalBytes } = kept;
  return new ModelRtcError(error.code, `${error.message} ${bytesKept(kept)} The next attempt resumes there.`, {
    cause: error.cause ?? error,
    details: { ...error.details, doneBytes, totalBytes },
  });
}

/** @param how - what was wrong with the chunk the last time that it was asked for */
export function neverRight(layout: Layout, chunk: number, how: Miss, source: string): ModelRtcError {
  const path = pathOf(layout, chunk);
  const what: Record<Miss, string> = {
    wrong: `${source} sends bytes of ${path} that do not have the SHA-256 that the manifest says; nothing was installed. Check the model there, or use another source.`,
    damaged: `Bytes of ${path} from ${source} were damaged on the way, ${MAX_REFETCHES + 1} times; nothing was installed. Run the same command again, or use another kind of connection.`,
    absent: `${source} was asked for a part of ${path} ${MAX_REFETCHES + 1} times and did not send it; nothing was installed. Run the same command again, or use another source.`,
  };
  return new ModelRtcError('verification_failed', what[how], {
    details: { source, file: path, chunk: digestOf(layout, chunk), how },
  });
}

/** The file in which a chunk begins. */
export function pathOf(layout: Layout, chunk: number): string {
  const place = placesOf(layout, chunk)[0] ?? 0;
  return layout.files[extentsAt(layout, place)[0]?.file ?? 0]?.path ?? '';
}

/** Everyone who could give the file gave it wrong. */
export function fileNeverRight(path: string, sources: string): ModelRtcError {
  return new ModelRtcError(
    'verification_failed',
    `${path} came from ${sources} with another hash than it should have; nothing was installed. Check the model there, or use another source.`,
    { details: { source: sources, file: path } },
  );
}

/** The source's origin sent wrong bytes too often, and there are others. */
export function sentWrongBytes(source: string): ModelRtcError {
  return new ModelRtcError(
    'verification_failed',
    `${source} sent wrong bytes ${MAX_WRONG_CHUNKS} times; nothing more is taken from it. Check the model there.`,
    { details: { source } },
  );
}

function bytesKept({ doneBytes, totalBytes }: Kept): string {
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} are kept.`;
}

function resumable(error: ModelRtcError, message: string, { doneBytes, totalBytes }: Kept): ModelRtcError {
  return new ModelRtcError(error.code, `${message} the same command again to resume.`, {
    cause: error.cause ?? error,
    details: { ...error.details, doneBytes, totalBytes },
  });
}
