import type { Digest } from '@model-rtc/protocol';

/** The list of models. */
export const LIST_PATH = 'models.json';
/** The signatures over the list; where nobody signs, it is not there. */
export const SIGNATURES_PATH = 'models.json.sig';

/** Where a manifest or chunk lies. */
export function dataPath(hash: Digest): string {
  return `data/${hash}`;
}
