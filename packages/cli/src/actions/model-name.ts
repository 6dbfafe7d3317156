import type { ModelEntry } from '@model-rtc/protocol';
import { printable } from '../console/format.ts';

/** A model as people read it: by its alias, with the id that is always right. */
export function nameOf({ alias, id }: Pick<ModelEntry, 'alias' | 'id'>): string {
  return printable(alias === undefined ? id : `${alias} (${id})`);
}
