import { formatCount, printable } from '../../../console/format.ts';
import type { BroughtIn } from './bring-in.ts';

/** Warnings that are listed; `model-info` has the others. */
const MAX_WARNINGS = 5;

/** What became of files that were to be converted; empty when nobody asked for it. */
export function convertedText(
  { converted, entry }: Pick<BroughtIn, 'converted' | 'entry'>,
  ofOriginal = 'the original stays where it is',
): string {
  if (converted === undefined) return '';
  if (converted.length === 0 && entry.lineage?.convertedFrom !== undefined) return 'It was converted before.';
  if (converted.length === 0) {
    return 'There is nothing to convert: the model has no torch files (.bin, .pt, .pth) with tensors, so it is taken as it is.';
  }
  const { warnings = [] } = entry;
  const more = warnings.length > MAX_WARNINGS ? [`  and ${warnings.length - MAX_WARNINGS} more: see model-info`] : [];
  const [only] = converted;
  const what =
    only !== undefined && converted.length === 1
      ? `Converted ${printable(only.from)} to ${printable(only.to)}`
      : `Converted ${formatCount(converted.length, 'file')} to safetensors`;
  const lines = warnings.slice(0, MAX_WARNINGS).map((warning) => `  ${printable(warning)}`);
  return [`${what}; ${ofOriginal}.`, ...lines, ...more].join('\n');
}
