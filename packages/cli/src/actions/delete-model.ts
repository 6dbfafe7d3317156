import { ModelRtcError } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import { confirm } from '../console/ask.ts';
import type { Context } from '../console/context.ts';
import { formatBytes, printable } from '../console/format.ts';
import { nameOf } from './model-name.ts';

export interface DeleteModelOptions {
  readonly ref: string;
  readonly keepFiles: boolean;
  readonly yes: boolean;
}

/** Descendants that a warning names. */
const MAX_CHILDREN_SHOWN = 5;

export async function deleteModel(context: Context, { ref, keepFiles, yes }: DeleteModelOptions): Promise<void> {
  const registry = await context.registry();
  const { entry, children } = await registry.lineage(ref);
  warn(context, entry, children);
  if (!yes && !keepFiles) await requireConsent(context, entry);
  const { stagedNeeds } = await import('@model-rtc/transfer');
  const needed = await stagedNeeds(registry.paths.staging);
  // By its digest: what the reference names may have changed while the question stood.
  const removed = await registry.remove(entry.digest ?? entry.id, { keepFiles, needed });
  const files = filesStory(removed.entry, removed);
  context.output.result({ ...removed, children }, `Deleted ${nameOf(removed.entry)}: ${files}`);
}

function warn({ output }: Context, { foundIn }: RegistryEntry, children: readonly RegistryEntry[]): void {
  if (children.length > 0) {
    const named = children.slice(0, MAX_CHILDREN_SHOWN).map(nameOf).join(', ');
    const more = children.length > MAX_CHILDREN_SHOWN ? ` and ${children.length - MAX_CHILDREN_SHOWN} more` : '';
    output.note(`Made from this model, and staying: ${named}${more}.`);
  }
  if (foundIn !== undefined)
    output.note(
      `It was found in ${foundIn}: a worker that looks there registers it again, unless it is gone there too.`,
    );
}

async function requireConsent(context: Context, entry: RegistryEntry): Promise<void> {
  const what = entry.linked
    ? `Its original files in ${printable(entry.originalPath ?? 'their folder')} stay.`
    : `Its files (${formatBytes(entry.size)}) are deleted too.`;
  const text = `Delete ${nameOf(entry)}, ${entry.modelType}? ${what}`;
  if (await confirm(context, { text, flag: '--yes' })) return;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was deleted.');
}

function filesStory(entry: RegistryEntry, removed: { freedBytes: number; keptAt?: string | undefined }): string {
  if (removed.keptAt !== undefined) return `its files are in ${printable(removed.keptAt)}`;
  if (entry.linked) return `its original files stay in ${printable(entry.originalPath ?? 'their folder')}`;
  return `${formatBytes(removed.freedBytes)} freed`;
}
