import { LONGEST_PATIENCE_MS } from './limits.ts';

/** How long a server asks to wait (RFC 9110, section 10.2.3): seconds or a time; undefined when it does not say. */
export function retryAfterMs(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), LONGEST_PATIENCE_MS);
}
