import { type CatalogModel, formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, flagOption } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { printable } from '../../console/format.ts';
import { yesOption } from '../options.ts';
import { sizeText } from './list.ts';
import { catalogId, catalogOptions } from './options.ts';
import { findModel, openCatalog } from './source.ts';

export const unregisterModel = defineCommand({
  usage: 'unregister <id>',
  describe: 'Take a registered model out of the catalog; its files stay unless you say otherwise',
  positionals: { id: catalogId },
  options: {
    'with-files': flagOption('Also delete the model that is here, with its files; asks first'),
    ...yesOption,
    ...catalogOptions,
  },
  examples: [
    [
      '$0 catalog unregister Qwen/Qwen2.5-0.5B',
      'its model, if it is here, keeps its files and is listed under its own id',
    ],
    ['$0 catalog unregister Qwen/Qwen2.5-0.5B --with-files', 'deletes the model too'],
  ],
  async run(context, { id: ref, withFiles, yes, ...options }) {
    if (withFiles && options.session !== undefined) throw onlyAtHome();
    await using source = await openCatalog(context, options);
    const model = findModel(await source.read(), ref, options.session);
    if (!withFiles || !model.downloaded) {
      const before = await source.unregister(model.id);
      return context.output.result({ model: before, freedBytes: 0 }, unregisteredText(before));
    }
    if (!yes) await requireConsent(context, model);
    const registry = await context.registry();
    const { stagedNeeds } = await import('@model-rtc/transfer');
    const needed = await stagedNeeds(registry.paths.staging);
    const { freedBytes = 0 } = await registry.unregisterModel(model.id, { withFiles, needed });
    context.output.result({ model, freedBytes }, `Deleted ${printable(model.id)}: ${formatBytes(freedBytes)} freed`);
  },
});

function onlyAtHome(): ModelRtcError {
  const sentence =
    "A session deletes no files. Run the command on the worker's machine, without --session, or leave out --with-files.";
  return new ModelRtcError('bad_argument', sentence, { details: { option: '--with-files' } });
}

async function requireConsent(context: Context, model: CatalogModel): Promise<void> {
  const text = `Delete ${printable(model.id)} (${printable(model.name)}) and its files, ${sizeText(model)}?`;
  if (await confirm(context, { text, flag: '--yes' })) return;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was deleted.');
}

function unregisteredText({ id, downloaded, metadata: { registry_id } }: CatalogModel): string {
  const rest = downloaded && registry_id !== undefined ? `; its model stays, as ${printable(registry_id)}` : '';
  return `Unregistered ${printable(id)}${rest}`;
}
