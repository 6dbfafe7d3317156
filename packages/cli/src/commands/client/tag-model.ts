import { type Alias, ModelRtcError, unlessFails } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { defineCommand, flagOption, requiredText } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { localModel } from '../options.ts';

export const tagModel = defineCommand({
  usage: 'tag-model <ref> <alias>',
  describe: 'Give a model on this machine an alias',
  positionals: {
    ref: localModel,
    alias: requiredText('Its new alias', { completes: 'aliases' }),
  },
  options: {
    force: flagOption('Take the alias from the model that has it; rollback gives it back'),
  },
  examples: [
    ['$0 client tag-model 4f1c22ab good-mouse-v2', 'name a model by its id'],
    ['$0 client tag-model 4f1c22ab good-mouse --force', 'move an alias to a newer model'],
  ],
  async run(context, { ref, alias: text, force }) {
    const { parseAlias } = await import('@model-rtc/protocol');
    const alias = parseAlias(text);
    const registry = await context.registry();
    const { entry: model } = await registry.resolve(ref);
    const owner = await ownerOf(registry, alias);
    const from = owner?.id === model.id ? undefined : owner;
    const overwrite = force || (from !== undefined && (await mayTake(context, alias, from)));
    const entry = await registry.tag(model.digest ?? model.id, alias, { overwrite }).catch((error: unknown) => {
      throw withForceNamed(error);
    });
    const before = model.alias === undefined || model.alias === alias ? '' : ` (it was "${model.alias}")`;
    const taken = from === undefined ? '' : `; ${from.id} has no alias now. Undo: model-rtc client rollback ${alias}`;
    context.output.result({ entry, from }, `${entry.id} is now ${entry.alias}${before}${taken}`);
  },
});

export const untagModel = defineCommand({
  usage: 'untag-model <alias>',
  describe: 'Remove an alias; the model stays',
  positionals: { alias: requiredText('The exact alias', { completes: 'aliases' }) },
  examples: [['$0 client untag-model good-mouse-v1', 'its model keeps its id']],
  async run(context, { alias }) {
    const registry = await context.registry();
    const entry = await registry.untag(alias);
    context.output.result({ entry, alias }, `${entry.id} was ${alias} and has no alias now`);
  },
});

async function ownerOf(registry: Registry, alias: Alias): Promise<RegistryEntry | undefined> {
  // An alias is no path: a folder of that name says nothing about it.
  const found = await unlessFails(registry.resolve(alias, { paths: false }), 'not_found_locally', 'ambiguous');
  return found?.entry.alias === alias ? found.entry : undefined;
}

/** Does not ask without a terminal: the registry then refuses the alias, naming its owner and free aliases. */
async function mayTake(context: Context, alias: Alias, owner: RegistryEntry): Promise<boolean> {
  if (!context.interactive) return false;
  return await confirm(context, {
    text: `"${alias}" is model ${owner.id} (${owner.modelType}). Take the alias from it?`,
    flag: '--force',
  });
}

function withForceNamed(thrown: unknown): ModelRtcError {
  const error = ModelRtcError.from(thrown);
  if (error.code !== 'alias_taken') return error;
  const sentence = `${error.message.replace(/\.$/, '')}, or take it over with --force.`;
  return new ModelRtcError('alias_taken', sentence, { cause: error, details: error.details });
}
