import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isInside, writeFileAtomic } from '@model-rtc/files';
import { type Catalog, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, flagOption, requiredText } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, printable, printableJson } from '../../console/format.ts';
import { catalogOptions } from './options.ts';
import { openCatalog } from './source.ts';

export const exportCatalog = defineCommand({
  usage: 'export <file>',
  describe: 'Write the catalog to a file, in one step',
  positionals: {
    file: requiredText('The file to write, or - for standard output', { completes: 'files' }),
  },
  options: {
    force: flagOption('Replace an existing file without asking'),
    ...catalogOptions,
  },
  examples: [
    ['$0 catalog export catalog.json', 'for another machine: model-rtc catalog import catalog.json'],
    ['$0 catalog export - --session lab', "a worker's, to standard output"],
  ],
  async run(context, { file, force, ...options }) {
    // yargs gives an empty text for a lone -.
    const path = file === '-' || file === '' ? undefined : resolve(file);
    if (path !== undefined) await requireFree(context, path, force);
    await using source = await openCatalog(context, options);
    const catalog = await source.read();
    const text = exportedText(catalog);
    if (path === undefined) return context.output.result(catalog, text);
    await writeFileAtomic(path, text);
    const count = catalog.models.length;
    context.output.result({ path, models: count }, `Wrote ${formatCount(count, 'model')} to ${printable(path)}`);
  },
});

/** Indented, so that people can read and compare it. Any text in it is harmless for a terminal. */
function exportedText(catalog: Catalog): string {
  return printableJson(`${JSON.stringify(catalog, undefined, 2)}\n`);
}

async function requireFree(context: Context, path: string, force: boolean): Promise<void> {
  if (isInside(context.home, path)) {
    const sentence = `${path} is in the data folder, whose files only model-rtc writes. Choose another place.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { path } });
  }
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isFile() && !found.isSymbolicLink()) {
    throw new ModelRtcError('bad_argument', `${path} is not a plain file. Choose another place.`, {
      details: { path },
    });
  }
  if (force || (await confirm(context, { text: `Replace ${printable(path)}?`, flag: '--force' }))) return;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was written.');
}
