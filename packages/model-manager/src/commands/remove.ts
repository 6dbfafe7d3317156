import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { ModelManager } from '../model-manager.ts';
import { nameText, parseNameRef } from '../reference.ts';
import type { InstalledModel, RemovedVersions } from '../types.ts';
import { flag, modelArgument, text } from './arguments.ts';
import { count, safe } from './text.ts';
import { defineModelsCommand, type ModelsContext } from './types.ts';

export const remove = defineModelsCommand({
  usage: 'remove <model> [model-version]',
  describe: 'Remove an installed version, or all of a model',
  positionals: {
    model: modelArgument,
    'model-version': text('A version, where several are installed', { completes: 'release-versions' }),
  },
  options: {
    all: flag('Remove all versions of the model'),
    yes: flag('Do not ask for confirmation', { alias: 'y' }),
  },
  examples: [
    ['$0 remove fast-whisper/tiny fp16', 'after a question'],
    ['$0 remove fast-whisper/tiny --all --yes', 'in a script'],
  ],
  async run(context, { model, modelVersion: version, all, yes }) {
    if (all && version !== undefined) {
      throw new ModelRtcError('bad_argument', 'Pass a version or --all, not both.');
    }
    const manager = await context.manager(undefined);
    const name = parseNameRef(model);
    const chosen = all ? undefined : { ...name, version: version ?? (await onlyVersion(context, manager, model)) };
    const going = chosen === undefined ? await versionsOf(manager, model) : await oneOf(manager, chosen);
    if (!yes && going.length > 0 && !(await context.confirm(`Remove ${namesOf(going)}?`))) {
      throw new ModelRtcError('cancelled', 'Cancelled; nothing was removed.');
    }
    const removed = await (chosen === undefined ? manager.removeAll(name) : manager.remove(chosen));
    context.result(removed, removedText(removed));
  },
});

async function versionsOf(manager: ModelManager, model: string): Promise<InstalledModel[]> {
  const name = parseNameRef(model);
  return (await manager.listInstalled()).filter((one) => one.group === name.group && one.model === name.model);
}

async function oneOf(manager: ModelManager, ref: Parameters<ModelManager['getInstalled']>[0]) {
  const found = await manager.getInstalled(ref);
  return found === undefined ? [] : [found];
}

async function onlyVersion({ program }: ModelsContext, manager: ModelManager, model: string): Promise<string> {
  const versions = (await versionsOf(manager, model)).map(({ version }) => version);
  const [only] = versions;
  if (versions.length === 1 && only !== undefined) return only;
  if (only === undefined) {
    const sentence = `${model} is not installed. See what is: ${program} list`;
    throw new ModelRtcError('not_found_locally', sentence, { details: { kind: 'not_installed' } });
  }
  throw new ModelRtcError(
    'bad_argument',
    `${model} has several versions here: ${versions.join(', ')}. Name one, or pass --all.`,
  );
}

function namesOf(models: readonly InstalledModel[]): string {
  const bytes = models.reduce((sum, { size }) => sum + size, 0);
  const [first] = models;
  const name = first === undefined ? '' : safe(nameText(first));
  const versions = models.length === 1 ? safe(first?.version ?? '') : `(${count(models.length, 'version')})`;
  return `${name} ${versions} (${formatBytes(bytes)})`;
}

function removedText({ removed, freedBytes, kept }: RemovedVersions): string {
  const stay = kept.length === 0 ? '' : ' Files stay that another name here has.';
  return `Removed ${namesOf(removed)}: ${formatBytes(freedBytes)} freed.${stay}`;
}
