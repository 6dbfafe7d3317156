import { type Alias, ModelRtcError, parseAlias } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { confirm } from '../console/ask.ts';
import type { Context } from '../console/context.ts';

export interface TagModelOptions {
  readonly ref: string;
  readonly alias: string;
  readonly force: boolean;
}

export async function tagModel(context: Context, { ref, alias: text, force }: TagModelOptions): Promise<void> {
  const registry = await context.registry();
  const alias = parseAlias(text);
  const { entry: model } = await registry.resolve(ref);
  const owner = await ownerOf(registry, alias);
  const from = owner?.id === model.id ? undefined : owner;
  const overwrite = force || (from !== undefined && (await mayTake(context, alias, from)));
  const entry = await registry.tag(model.digest ?? model.id, alias, { overwrite }).catch((error: unknown) => {
    throw withForceNamed(error);
  });
  const before = model.alias === undefined || model.alias === alias ? '' : ` (it was "${model.alias}")`;
  const taken = from === undefined ? '' : `; ${from.id} has no alias now. Back: model-rtc client rollback ${alias}`;
  context.output.result({ entry, from }, `${entry.id} is now ${entry.alias}${before}${taken}`);
}

export async function untagModel(context: Context, alias: string): Promise<void> {
  const registry = await context.registry();
  const entry = await registry.untag(alias);
  context.output.result({ entry, alias }, `${entry.id} was ${alias} and has no alias now`);
}

async function ownerOf(registry: Registry, alias: Alias): Promise<RegistryEntry | undefined> {
  try {
    const { entry } = await registry.resolve(alias);
    return entry.alias === alias ? entry : undefined;
  } catch (error) {
    const { code } = ModelRtcError.from(error);
    if (code === 'not_found_locally' || code === 'ambiguous') return undefined;
    throw error;
  }
}

function withForceNamed(thrown: unknown): ModelRtcError {
  const error = ModelRtcError.from(thrown);
  if (error.code !== 'alias_taken') return error;
  const sentence = `${error.message.replace(/\.$/, '')}, or take it over with --force.`;
  return new ModelRtcError('alias_taken', sentence, { cause: error, details: error.details });
}

/** Without a person to ask, the registry refuses the alias, and names its owner and free ones. */
async function mayTake(context: Context, alias: Alias, owner: RegistryEntry): Promise<boolean> {
  if (!context.interactive) return false;
  return await confirm(context, {
    text: `"${alias}" is model ${owner.id} (${owner.modelType}). Take the alias from it?`,
    flag: '--force',
  });
}
