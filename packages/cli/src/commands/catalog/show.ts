import type { CatalogModel } from '@model-rtc/protocol';
import { defineCommand } from '../../command-line/types.ts';
import { factsText } from '../../console/format.ts';
import { sizeText } from './list.ts';
import { catalogId, catalogOptions } from './options.ts';
import { findModel, openCatalog } from './source.ts';

export const showCatalogModel = defineCommand({
  usage: 'show <id>',
  describe: 'Show what the catalog says of one model',
  positionals: { id: catalogId },
  options: catalogOptions,
  examples: [
    ['$0 catalog show Qwen/Qwen2.5-0.5B', 'by its id'],
    ['$0 catalog show good-mouse-v1 --session lab', 'by its alias, at a worker'],
  ],
  async run(context, { id, ...options }) {
    await using source = await openCatalog(context, options);
    const model = findModel(await source.read(), id, options.session);
    context.output.result({ model }, modelText(model));
  },
});

function modelText(model: CatalogModel): string {
  const { id, name, path, format, architecture, downloaded, backends, metadata } = model;
  const facts: [string, unknown][] = [
    ['id', id],
    ['name', name],
    ['downloaded', downloaded ? 'yes' : 'no'],
    ['path', path],
    ['format', format],
    ['size', sizeText(model)],
    ['architecture', architecture],
    ['backends', backends.join(', ')],
    ...Object.entries(metadata).map(([key, value]): [string, unknown] => [
      key.replaceAll('_', ' '),
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  ];
  return factsText(facts);
}
