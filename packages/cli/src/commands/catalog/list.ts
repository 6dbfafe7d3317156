import { type CatalogModel, formatBytes } from '@model-rtc/protocol';
import { defineCommand } from '../../command-line/types.ts';
import { type Column, renderTable } from '../../console/table.ts';
import { catalogOptions } from './options.ts';
import { openCatalog } from './source.ts';

export const listCatalog = defineCommand({
  usage: 'list',
  isDefault: true,
  describe: 'List what is here and what is only registered, with what each can be computed on',
  options: {
    ...catalogOptions,
    only: { choices: ['downloaded', 'planned'], describe: 'Only models that are there, or only those that are not' },
  },
  examples: [
    ['$0 catalog', "this machine's catalog"],
    ['$0 catalog list --session lab --json', "a worker's, in the form of docs/catalog.md"],
  ],
  async run(context, { only, ...options }) {
    const { output } = context;
    await using source = await openCatalog(context, options);
    const catalog = await source.read();
    const models = catalog.models.filter((model) => only === undefined || model.downloaded === (only === 'downloaded'));
    if (models.length === 0) {
      output.note(
        catalog.models.length === 0
          ? 'The catalog is empty. Register a model: model-rtc catalog register ID --repo ORG/NAME'
          : 'No model of the catalog matches.',
      );
    }
    output.result({ ...catalog, models }, models.length === 0 ? '' : renderTable(models, COLUMNS, output.columns));
  },
});

const COLUMNS: readonly Column<CatalogModel>[] = [
  { title: 'ID', value: ({ id }) => id, isWhole: true },
  { title: 'NAME', value: ({ id, name }) => (name === id ? '' : name), optional: 5 },
  { title: 'FORMAT', value: ({ format }) => format ?? '', optional: 3 },
  { title: 'SIZE', value: sizeText, align: 'right', optional: 1 },
  { title: 'ARCHITECTURE', value: ({ architecture }) => architecture ?? '', optional: 2 },
  { title: 'DOWNLOADED', value: ({ downloaded }) => (downloaded ? 'yes' : 'no') },
  { title: 'BACKENDS', value: ({ backends }) => backends.join(', '), optional: 4 },
];

export function sizeText({ size_gb }: CatalogModel): string {
  return size_gb === null ? '' : formatBytes(Math.round(size_gb * 1e9));
}
