import type { CheckResult } from '@model-rtc/formats/validation';
import type { ValidatedModel } from '@model-rtc/registry';
import { printable, shortName } from '../../../console/format.ts';
import { renderTable } from '../../../console/table.ts';

/** What the checks of one model found. Details are never cut: they say what to do. */
function renderResults(results: readonly CheckResult[]): string {
  return renderTable(
    results,
    [
      { title: 'CHECK', value: ({ check }) => check },
      { title: 'RESULT', value: ({ outcome }) => outcome },
      { title: 'DETAIL', value: ({ detail = '' }) => detail },
    ],
    undefined,
  );
}

export function renderValidated({ entry, results }: ValidatedModel): string {
  return `${renderResults(results)}\n\n${printable(shortName(entry))}: ${countsText(results)}`;
}

/** `6 passed, 1 warning, 1 skipped`. */
export function countsText(results: readonly CheckResult[]): string {
  const counts = (['failed', 'passed', 'warning', 'skipped'] as const).map((outcome) => {
    const count = results.filter((one) => one.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome === 'warning' && count > 1 ? 'warnings' : outcome}`];
  });
  return counts.flat().join(', ');
}
