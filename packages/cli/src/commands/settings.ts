import type { Invocation } from '../console/invocation.ts';
import type { SettingName } from '../console/settings.ts';
import type { CommandParser } from './common.ts';

const NAMES = ['limit.up', 'limit.down'] as const satisfies readonly SettingName[];
const nameOption = { choices: NAMES, demandOption: true, describe: 'The setting' } as const;

/** What holds for both agents of this machine. */
export function addSettingsCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command('settings', "Show or change the settings of this machine's agents", (settings) => {
    settings.command(
      ['list', '$0'],
      'Show all settings',
      (command) => command,
      (argv) =>
        invocation.run(argv, async (context) => {
          const { listSettings } = await import('../actions/settings.ts');
          await listSettings(context);
        }),
    );
    settings.command(
      'get <name>',
      'Show one setting',
      (command) => command.positional('name', nameOption),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { getSetting } = await import('../actions/settings.ts');
          await getSetting(context, argv.name);
        }),
    );
    settings.command(
      'set <name> <value>',
      'Change a setting',
      (command) =>
        command.positional('name', nameOption).positional('value', {
          type: 'string',
          demandOption: true,
          describe: 'For a limit a rate: 20MB, 1.5MiB or 50Mbit a second',
        }),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { setSetting } = await import('../actions/settings.ts');
          await setSetting(context, argv.name, argv.value);
        }),
    );
    settings.command(
      'unset <name>',
      'Forget a setting',
      (command) => command.positional('name', nameOption),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { unsetSetting } = await import('../actions/settings.ts');
          await unsetSetting(context, argv.name);
        }),
    );
    return settings
      .example('$0 settings set limit.up 20MB', 'send at most 20 MB/s, all transfers of an agent together')
      .example('$0 settings unset limit.up', 'send as fast as it goes')
      .strictCommands()
      .strict()
      .recommendCommands();
  });
}
