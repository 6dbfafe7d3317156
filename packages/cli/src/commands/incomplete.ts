import type { ModelEntry } from '@model-rtc/protocol';
import { formatCount, printable } from '../console/format.ts';

/** What to tell of a model that is not whole, before it is moved. */
export function incompleteNote({ id, alias, incomplete = [] }: ModelEntry): string {
  const [first, ...others] = incomplete;
  if (first === undefined) return '';
  const more = others.length === 0 ? '' : `, and ${formatCount(others.length, 'more file')}`;
  return `${printable(alias ?? id)} is not whole: ${printable(`${first.path} ${first.problem}`)}${more}.`;
}
