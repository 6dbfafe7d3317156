import { ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, flagOption, textOption } from '../../../command-line/types.ts';
import type { Context } from '../../../console/context.ts';
import { laneOptions, priorityWith } from '../../options.ts';
import { notValid, validateHere } from './run.ts';
import { renderValidated } from './text.ts';

export const validate = defineCommand({
  usage: 'validate [ref]',
  describe: 'Check whether a model can be used: files, numbers, configuration, tokenizer; exits 6 if a check fails',
  positionals: {
    ref: textOption('An id, alias, digest prefix, full name or path', { completes: 'models' }),
  },
  options: {
    ...laneOptions,
    quick: flagOption('Only look at sizes and times, and at some numbers of each tensor'),
    registry: flagOption(
      'Compare the registry with the disk instead: entries without folders, folders without entries, wrong bytes',
    ),
    fix: flagOption(
      'With --registry: mend what can be, from the originals, other models and saved workers; deletes nothing',
    ),
    ...priorityWith('With --fix'),
  },
  examples: [
    ['$0 client validate qwen2-5-0-5b', 'everything that can be checked on this machine'],
    ['$0 client validate --registry --fix', 'make registry and disk agree'],
  ],
  async run(context, { ref, quick, registry, fix, ...network }) {
    if (registry === (ref !== undefined) || (fix && !registry)) throw wrongArguments(ref, registry);
    if (ref === undefined) await validateRegistry(context, { ...network, quick, fix });
    else await validateOne(context, ref, quick);
  },
});

function wrongArguments(ref: string | undefined, registry: boolean): ModelRtcError {
  if (ref === undefined && !registry) return new ModelRtcError('bad_argument', 'Name a model, or pass --registry.');
  const sentence = registry ? '--registry is about all models. Leave out the name.' : '--fix goes with --registry.';
  return new ModelRtcError('bad_argument', sentence);
}

async function validateOne(context: Context, ref: string, quick: boolean): Promise<void> {
  context.explainCancel('Cancelled; nothing was changed.');
  const validated = await validateHere(context, await context.registry(), ref, { quick });
  const { entry, results, isValid } = validated;
  const { at, version } = entry.validation ?? {};
  context.output.result({ valid: isValid, quick, at, version, results, entry }, renderValidated(validated));
  if (!isValid) throw notValid(validated);
}

async function validateRegistry(
  context: Context,
  options: Parameters<typeof import('./registry.ts')['checkRegistry']>[1],
): Promise<void> {
  const [{ checkRegistry }, { registryError, renderRegistry }] = await Promise.all([
    import('./registry.ts'),
    import('./registry-text.ts'),
  ]);
  const report = await checkRegistry(context, options);
  const error = registryError(report, options.fix);
  context.output.result({ valid: error === undefined, fix: options.fix, ...report }, renderRegistry(report));
  if (error !== undefined) throw error;
}
