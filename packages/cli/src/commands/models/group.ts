import { MODELS_COMMANDS, MODELS_DESCRIBE, type ModelsArgument, type ModelsCommand } from '@model-rtc/model-manager';
import type { ArgumentSpec, ArgumentSpecs, Command, CommandGroup } from '../../command-line/types.ts';
import { asSet } from '../options.ts';
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
  return isRepeated ? { ...spec, coerce: asSet } : spec;
}
