import { extensionOf } from '../file-names.ts';
import type { CheckedFile } from './types.ts';

/** Matches files whose names end in one of these, in lower case and with the dot. */
export function byExtension(...extensions: readonly string[]): (file: CheckedFile) => boolean {
  return ({ path }) => extensions.includes(extensionOf(path));
}
