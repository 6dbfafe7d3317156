import { formatBytes } from '@model-rtc/protocol';
import type { FoundFlaw } from './types.ts';

/** The flaw of a file of another size than its header says; undefined when the size is right. */
export function sizeFlaw(size: number, expected: number): FoundFlaw | undefined {
  if (size === expected) return undefined;
  // Rounded texts of two sizes may be the same one.
  const [has, needs] = [bytesText(size), bytesText(expected)];
  if (size < expected) return { kind: 'cut_off', problem: `is cut off: it has ${has} of ${needs}` };
  return { kind: 'too_long', problem: `is longer than its header says: it has ${has} instead of ${needs}` };
}

/** The flaw of a file that ends before it says how long it must be. */
export function cutOff(size: number, what: string): FoundFlaw {
  return { kind: 'cut_off', problem: `is cut off after ${bytesText(size)}: ${what}` };
}

/** For people and for whoever compares: `18.1 kB (18,176 bytes)`. */
export function bytesText(bytes: number): string {
  return bytes < 1000 ? `${bytes} bytes` : `${formatBytes(bytes)} (${bytes.toLocaleString('en-US')} bytes)`;
}
