import type { Context } from '../console/context.ts';
import { formatBytes, formatTime } from '../console/format.ts';
import { renderTable } from '../console/table.ts';

export async function showHistory(context: Context, ref: string): Promise<void> {
  const registry = await context.registry();
  const { alias, records } = await registry.history(ref);
  const text = renderTable(
    records,
    [
      { title: 'ALIAS', value: () => alias },
      { title: 'ID', value: ({ entry }) => entry.id },
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
}

export async function rollback(
  context: Context,
  { alias, to }: { readonly alias: string; readonly to?: string | undefined },
): Promise<void> {
  const registry = await context.registry();
  const { entry, from } = await registry.rollback(alias, to);
  if (entry.displayStatus !== 'completed')
    context.output.note(`${entry.id} is not whole (${entry.displayStatus}). See: model-rtc client model-info ${alias}`);
  const before = from === undefined ? '' : `; it was ${from.id}, which stays without an alias`;
  context.output.result({ entry, from }, `${alias} is ${entry.id} again${before}`);
}
