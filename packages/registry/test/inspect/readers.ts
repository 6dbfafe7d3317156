import { gunzipSync } from 'node:zlib';
import type { ByteReader } from '@model-rtc/formats';
import { scanReader } from '../../src/inspect/code-files.ts';
import type { Findings } from '../../src/inspect/findings.ts';
import { SAMPLES } from './samples.ts';

export type SampleName = keyof typeof SAMPLES;

export function sample(name: SampleName): Buffer {
  return gunzipSync(Buffer.from(SAMPLES[name], 'base64'));
}

/** Reads an array and refuses what lies outside of it, as a file would. */
export function arrayReader(bytes: Uint8Array): ByteReader {
  return {
    size: bytes.length,
    async read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length))
        throw new Error(`read of ${length} at ${offset}`);
      // A copy of its own, so that nothing can count on what lies around it.
      return Uint8Array.from(bytes.subarray(offset, offset + length));
    },
  };
}

export async function scanBytes(bytes: Uint8Array, name: string): Promise<Findings> {
  return await scanReader(arrayReader(bytes), name);
}

/** Bytes from texts, of which each character is one, and from bytes. */
export function raw(...parts: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

/** A text as protocol 2 writes it. */
export function unicode(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return raw('X', length, bytes);
}
