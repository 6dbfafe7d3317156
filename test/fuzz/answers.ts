import { ModelRtcError } from '@model-rtc/protocol';

/** What a reader may answer with; all else is a fault. */
export function answered<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ModelRtcError && error.code !== 'unexpected') return undefined;
    throw error;
  }
}

/** All texts of hex digits that stand anywhere in a value, as bytes. */
export function bytesIn(value: unknown): Uint8Array[] {
  if (typeof value === 'string') return /^(?:[0-9a-f]{2}){2,}$/.test(value) ? [Buffer.from(value, 'hex')] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(bytesIn) : [];
}

export function texts(...values: readonly unknown[]): Uint8Array[] {
  return values.map((value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
}

/** undefined for what is no JSON. */
export function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
