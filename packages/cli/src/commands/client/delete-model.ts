import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { defineCommand, flagOption } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, formatModel, formatSome, printable } from '../../console/format.ts';
import { localModel, yesOption } from '../options.ts';

/** Descendants that a warning names. */
const MAX_CHILDREN_SHOWN = 5;

export const deleteModel = defineCommand({
  usage: 'delete-model <ref>',
  describe: 'Remove a model from this machine; asks before it deletes files',
  positionals: { ref: localModel },
  options: {
    'keep-files': flagOption("Move its files to the data folder's kept/ instead of deleting them"),
    ...yesOption,
  },
  examples: [
    ['$0 client delete-model old-mouse', 'shows what will be deleted, and asks'],
    ['$0 client delete-model 4f1c22ab --yes', 'in a script'],
  ],
  async run(context, { ref, keepFiles, yes }) {
    const registry = await context.registry();
    const { entry, children } = await registry.lineage(ref);
    warn(context, entry, children);
    if (!yes && !keepFiles) await requireConsent(context, entry, children);
    const { stagedNeeds } = await import('@model-rtc/transfer');
    const needed = await stagedNeeds(registry.paths.staging);
    // By its digest: the reference may name another model by the time the question is answered.
    const removed = await registry.remove(entry.digest ?? entry.id, { keepFiles, needed });
    const text = `Deleted ${formatModel(removed.entry)}: ${filesText(removed)}`;
    context.output.result({ ...removed, children }, text);
  },
});

function warn({ output }: Context, { foundIn }: RegistryEntry, children: readonly RegistryEntry[]): void {
  if (children.length > 0) {
    output.note(`Models made from this one stay: ${formatSome(children.map(formatModel), MAX_CHILDREN_SHOWN)}.`);
  }
  if (foundIn !== undefined)
    output.note(`A worker that watches ${foundIn} will register it again unless you remove it there too.`);
}

async function requireConsent(
  context: Context,
  entry: RegistryEntry,
  { length: children }: readonly RegistryEntry[],
): Promise<void> {
  const what = entry.linked
    ? `Its original files in ${printable(entry.originalPath ?? 'their folder')} stay.`
    : `Its files (${formatBytes(entry.size)}) will be deleted too.`;
  const parent =
    children === 0 ? '' : ` ${formatCount(children, 'model')} here ${children === 1 ? 'was' : 'were'} made from it.`;
  const text = `Delete ${formatModel(entry)}, ${entry.modelType}?${parent} ${what}`;
  if (await confirm(context, { text, flag: '--yes' })) return;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was deleted.');
}

function filesText({ entry, keptAt, freedBytes }: Awaited<ReturnType<Registry['remove']>>): string {
  if (keptAt !== undefined) return `its files are in ${printable(keptAt)}`;
  if (entry.linked) return `its original files stay in ${printable(entry.originalPath ?? 'their folder')}`;
  return `${formatBytes(freedBytes)} freed`;
}
