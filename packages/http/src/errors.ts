import { ModelRtcError } from '@model-rtc/protocol';
import { retryAfterMs } from './retry-after.ts';
import type { HttpClient, ResponseHeaders } from './types.ts';

/** The host of an address, as messages name a server. */
export function hostOf(url: string): string {
  return new URL(url).host;
}

/**
 * The error for an answer that is none. @param url - what was asked for
 * @returns `busy` with `details.retryAfterMs`, `refused`, or `network` where another attempt may help
 */
export function statusError(
  { status, headers }: { readonly status: number; readonly headers: ResponseHeaders },
  url: string,
  { now }: Pick<HttpClient, 'now'> = {},
): ModelRtcError {
  const host = hostOf(url);
  if (status === 429 || status === 503) {
    const waitMs = retryAfterMs(headers.get('retry-after'), now?.() ?? new Date());
    const sentence = `${host} is busy (HTTP ${status}). Try again later.`;
    return new ModelRtcError('busy', sentence, { details: { status, retryAfterMs: waitMs } });
  }
  const details = { status };
  if (status === 401 || status === 403) {
    const sentence = `${host} refuses to give ${url} (HTTP ${status}). Check the address and your right to read it.`;
    return new ModelRtcError('refused', sentence, { details });
  }
  const isTemporary = status === 408 || status >= 500;
  return new ModelRtcError(isTemporary ? 'network' : 'refused', `${host} answered HTTP ${status} for ${url}.`, {
    details,
  });
}

/** Whoever aborted says why; everything else that `fetch` throws is the network. */
export function fetchError(error: unknown, url: string, signal: AbortSignal | undefined): ModelRtcError {
  if (signal?.aborted && signal.reason !== undefined) return ModelRtcError.from(signal.reason);
  if (error instanceof ModelRtcError) return error;
  const cause = (error as { cause?: { message?: string; code?: string } } | undefined)?.cause;
  const why = cause?.code ?? cause?.message ?? (error as Error | undefined)?.message ?? 'unknown';
  const sentence = `${hostOf(url)} cannot be reached, or broke off (${why}). Check the address and the network.`;
  return new ModelRtcError('network', sentence, { cause: error });
}

/** The error for a body that was shorter than it should be. */
export function brokeOff(url: string): ModelRtcError {
  return new ModelRtcError('network', `${url} ended before all of it had come.`);
}
