import { MODELS_COMMANDS, MODELS_DESCRIBE } from './commands/index.ts';
import type { ModelsArgument, ModelsCommand } from './commands/types.ts';
import { type ModelsCommandConfig, runInProcess } from './host-context.ts';

/** The part of a commander command that is used here, so that commander itself is not needed to load this. */
export interface CommanderLike {
  command(nameAndArguments: string): CommanderLike;
  description(text: string): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as commander types it
  option(flags: string, describe: string, parse?: (text: string, before: any) => any): unknown;
  addHelpText(position: 'after', text: string): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as commander types it
  action(run: (...given: any[]) => void | Promise<void>): unknown;
  exitOverride(handle: (error: { readonly exitCode: number }) => never): unknown;
}

const BAD_ARGUMENTS_EXIT_CODE = 2;

/**
 * Adds the commands `models ...` to a commander program, which runs them by `parseAsync`. They are those of `createModelsCommand`.
 * @returns the command `models`
 */
export function addModelsCommand<Program extends CommanderLike>(
  program: Program,
  config: ModelsCommandConfig,
): CommanderLike {
  const group = program.command('models');
  group.description(MODELS_DESCRIBE);
  for (const command of MODELS_COMMANDS) addCommand(group, command, config);
  return group;
}

function addCommand(group: CommanderLike, command: ModelsCommand, config: ModelsCommandConfig): void {
  const own = group.command(command.usage);
  own.description(command.describe);
  for (const [name, spec] of Object.entries(command.options)) addOption(own, name, spec);
  own.option('--json', 'Print the result as JSON');
  own.option('--quiet', 'Print only the result and errors');
  own.option('--verbose', 'Log every step');
  const examples = command.examples.map(
    ([line, meaning]) => `  ${line.replace('$0', `${config.appName} models`)}  ${meaning}`,
  );
  own.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  // commander ends with 1 for wrong arguments; these commands end with 2, and with 0 after the help.
  own.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : BAD_ARGUMENTS_EXIT_CODE));
  own.action(async (...given: unknown[]) => {
    const names = Object.keys(command.positionals);
    const positionals = Object.fromEntries(names.map((name, i) => [camelCase(name), given[i]]));
    const defaults = Object.fromEntries(Object.entries(command.options).map(([name, spec]) => [name, spec.default]));
    await runInProcess(config, command, {
      ...defaults,
      ...(given[names.length] as object | undefined),
      ...positionals,
    });
  });
}

function addOption(own: CommanderLike, name: string, { type, describe, alias, isRepeated, env }: ModelsArgument): void {
  const flags = `${alias === undefined ? '' : `-${alias}, `}--${name}${type === 'boolean' ? '' : ' <value>'}`;
  const text = env === undefined ? describe : `${describe} [env: ${env}]`;
  if (isRepeated) own.option(flags, text, (value, before: readonly string[] | undefined) => [...(before ?? []), value]);
  else if (type === 'number') own.option(flags, text, Number);
  else own.option(flags, text);
}

function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
