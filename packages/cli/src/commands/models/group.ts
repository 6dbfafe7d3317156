import { MODELS_COMMANDS, MODELS_DESCRIBE, type ModelsArgument, type ModelsCommand } from '@model-rtc/model-manager';
import type { ArgumentSpec, ArgumentSpecs, Command, CommandGroup } from '../../command-line/types.ts';
import { modelsContext } from './context.ts';

/** The commands that any program can mount, with the registry of this machine. */
export const models: CommandGroup = {
  name: 'models',
  describe: MODELS_DESCRIBE,
  commands: MODELS_COMMANDS.map(toCommand),
  examples: [['$0 models pull fast-whisper/tiny fp16 --registry https://models.example.org', 'install a model']],
};

function toCommand({ usage, describe, positionals, options, examples, run }: ModelsCommand): Command {
  return {
    ...{ usage, describe },
    positionals: argumentsOf(positionals),
    options: argumentsOf(options),
    examples: examples.map(([line, meaning]) => [line.replace('$0', '$0 models'), meaning]),
    run: (context, given) => run(modelsContext(context), given),
  };
}

function argumentsOf(specs: Readonly<Record<string, ModelsArgument>>): ArgumentSpecs {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, argumentOf(spec)]));
}

function argumentOf({ isRepeated, ...spec }: ModelsArgument): ArgumentSpec {
  if (!isRepeated) return spec;
  // Not an array option, which would take what follows for more of them. A set, since yargs refuses an array where one value is due.
  const coerce = (given: string | string[] | undefined) => new Set([given ?? []].flat());
  return { ...spec, coerce };
}
