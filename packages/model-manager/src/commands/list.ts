import type { RemoteModel } from '../types.ts';
import { flag, registryOption } from './arguments.ts';
import { day, sizeText, table } from './text.ts';
import { defineModelsCommand, type ModelsContext } from './types.ts';

const TITLES = ['GROUP', 'MODEL', 'VERSION', 'SIZE', 'INSTALLED'];

export const list = defineModelsCommand({
  usage: 'list',
  describe: 'List the installed models, or those of the registry',
  positionals: {},
  options: {
    remote: flag('What the registry has'),
    ...registryOption,
  },
  examples: [
    ['$0 list', 'what is installed'],
    ['$0 list --remote', 'what there is to install'],
  ],
  async run(context, { remote, registry, trustKey }) {
    const manager = await context.manager(registry, trustKey);
    if (remote) return printRemote(context, await manager.listRemote({ signal: context.signal }));
    const models = await manager.listInstalled();
    const rows = models.map(({ group, model, version, aliases, size, installedAt, isWhole }) => [
      ...[group, model, aliases.length === 0 ? version : `${version} (${aliases.join(', ')})`, sizeText(size)],
      isWhole ? day(installedAt) : 'damaged',
    ]);
    const none = `No models are installed. See what there is: ${context.program} list --remote`;
    context.result({ models }, rows.length === 0 ? none : table(TITLES, rows));
  },
});

function printRemote(context: ModelsContext, models: readonly RemoteModel[]): void {
  const rows = models.map(({ group, model, version, aliasOf, size, installed }) => [
    ...[group, model, aliasOf === undefined ? version : `${version} -> ${aliasOf}`],
    ...[sizeText(size ?? installed?.size), day(installed?.installedAt)],
  ]);
  context.result({ models }, rows.length === 0 ? 'The registry is empty.' : table(TITLES, rows));
}
