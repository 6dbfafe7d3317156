import { bytesText } from './sizes.ts';
import type { FileCheck } from './types.ts';

/** The specification allows no longer pointer; the shortest holds a version, a digest and a size. */
const MAX_POINTER_BYTES = 1024;
const MIN_POINTER_BYTES = 100;
const FIRST_LINE = /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v\d+\n/;

/** Git LFS leaves a small text in place of each file until `git lfs pull`. Source: git-lfs docs/spec.md. */
export const lfsPointer: FileCheck = {
  matches: ({ size }) => size >= MIN_POINTER_BYTES && size <= MAX_POINTER_BYTES,
  async check(reader) {
    const text = new TextDecoder('latin1').decode(await reader.read(0, reader.size));
    const size = /^size (\d{1,15})$/m.exec(text)?.[1];
    if (!FIRST_LINE.test(text) || size === undefined) return undefined;
    return {
      kind: 'not_downloaded',
      problem: `is a Git LFS pointer: its ${bytesText(Number(size))} were never downloaded. Run "git lfs pull" there`,
    };
  },
};
