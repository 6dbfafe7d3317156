import { formatBytes } from '@model-rtc/protocol';
import { defineCommand } from '../../command-line/types.ts';
import { formatTime, printable } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';

export const audit = defineCommand({
  usage: 'audit',
  describe: 'Show what was decided about the models of this machine, the newest first',
  options: { limit: { type: 'number', default: 50, describe: 'At most this many' } },
  examples: [['$0 mesh audit --json', 'for a script']],
  async run({ home, output }, options) {
    const { readDecisions } = await import('@model-rtc/mesh');
    const all = await readDecisions(home);
    const decisions = all.slice(0, Math.max(1, Math.floor(options.limit)));
    if (decisions.length === 0) output.note('Nothing was decided yet.');
    else if (decisions.length < all.length)
      output.note(`Shown: ${decisions.length} of ${all.length}. Show more with --limit.`);
    const text = renderTable(
      decisions,
      [
        { title: 'WHEN', value: ({ at }) => formatTime(at), isWhole: true },
        { title: 'EVENT', value: ({ event }) => event },
        { title: 'WHAT', value: ({ what }) => printable(what) },
        { title: 'SIZE', value: ({ bytes }) => (bytes === undefined ? '' : formatBytes(bytes)), optional: 1 },
        { title: 'BY', value: ({ by }) => printable(by ?? ''), optional: 2 },
      ],
      output.columns,
    );
    output.result({ decisions, total: all.length }, decisions.length === 0 ? '' : text);
  },
});
