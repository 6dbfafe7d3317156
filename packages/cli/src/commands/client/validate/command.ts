import { defineCommand } from '../../../command-line/types.ts';
import { localModel } from '../../options.ts';
import { notValid, validateHere } from './run.ts';
import { renderValidated } from './text.ts';

export const validate = defineCommand({
  usage: 'validate <ref>',
  describe: 'Check whether a model can be used: files, numbers, configuration, tokenizer; exits 6 if a check fails',
  positionals: { ref: localModel },
  options: {
    quick: {
      type: 'boolean',
      default: false,
      describe: 'Only look at sizes and times, and at some numbers of each tensor',
    },
  },
  examples: [['$0 client validate qwen2-5-0-5b', 'everything that can be checked on this machine']],
  async run(context, { ref, quick }) {
    context.explainCancel('Cancelled; nothing was changed.');
    const validated = await validateHere(context, await context.registry(), ref, { quick });
    const { entry, results, isValid } = validated;
    const { at, version } = entry.validation ?? {};
    context.output.result({ valid: isValid, quick, at, version, results, entry }, renderValidated(validated));
    if (!isValid) throw notValid(validated);
  },
});
