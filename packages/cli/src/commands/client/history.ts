import { formatBytes } from '@model-rtc/protocol';
import { defineCommand, requiredText } from '../../command-line/types.ts';
import { formatTime } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';

export const history = defineCommand({
  usage: 'history <ref>',
  describe: 'Show which models an alias named, and when',
  positionals: {
    ref: requiredText('An alias, or a model that has or had one', { completes: 'models' }),
  },
  examples: [['$0 client history good-mouse', 'newest first']],
  async run(context, { ref }) {
    const registry = await context.registry();
    const { alias, records } = await registry.history(ref);
    const text = renderTable(
      records,
      [
        { title: 'ALIAS', value: () => alias },
        { title: 'ID', value: ({ entry }) => entry.id, isWhole: true },
        { title: 'FROM', value: ({ since }) => formatTime(since) || 'unknown' },
        { title: 'UNTIL', value: ({ until }) => (until === undefined ? 'now' : formatTime(until)) },
        { title: 'TYPE', value: ({ entry }) => entry.modelType, optional: 2 },
        { title: 'SIZE', value: ({ entry }) => formatBytes(entry.size), align: 'right', optional: 1 },
        {
          title: 'ALSO',
          value: ({ entry }) => (entry.alias === undefined || entry.alias === alias ? '' : `now "${entry.alias}"`),
          optional: 3,
        },
      ],
      context.output.columns,
    );
    context.output.result({ alias, records }, text);
  },
});
