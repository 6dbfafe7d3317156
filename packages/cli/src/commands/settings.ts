import { type CommandGroup, defineCommand, requiredText } from '../command-line/types.ts';
import { SETTING_NAMES, type Setting, Settings, settingText } from '../console/settings.ts';
import { renderTable } from '../console/table.ts';

const name = { choices: SETTING_NAMES, demandOption: true, describe: 'The setting' } as const;
/** What a running worker reads each time. */
const READ_EACH_TIME: readonly string[] = ['mesh.consent'];

const list = defineCommand({
  usage: 'list',
  isDefault: true,
  describe: 'Show all settings',
  examples: [['$0 settings', 'all settings with their values']],
  async run(context) {
    const all = (await Settings.open(context.home)).list();
    const text = renderTable(
      all,
      [
        { title: 'SETTING', value: (setting) => setting.name },
        { title: 'VALUE', value: settingText },
        { title: 'MEANING', value: ({ describe }) => describe, optional: 1 },
      ],
      context.output.columns,
    );
    context.output.result({ settings: all.map(asData) }, text);
  },
});

const get = defineCommand({
  usage: 'get <name>',
  describe: 'Show one setting',
  positionals: { name },
  examples: [['$0 settings get limit.up', 'its value alone, for a script']],
  async run(context, given) {
    const setting = (await Settings.open(context.home)).get(given.name);
    context.output.result(asData(setting), setting.value ?? '');
    if (setting.value === undefined) context.output.note(`${setting.name} is not set: ${otherwise(setting)}.`);
  },
});

const set = defineCommand({
  usage: 'set <name> <value>',
  describe: 'Change a setting',
  positionals: {
    name,
    value: requiredText(
      'A rate per second: 20MB, 1.5MiB or 50Mbit; a size: 200GB; a length of time: 30d; a number: 4; a list: a,b; a word: off',
    ),
  },
  examples: [['$0 settings set limit.up 20MB', 'send at most 20 MB/s, all transfers of an agent together']],
  async run(context, given) {
    const setting = (await Settings.open(context.home)).set(given.name, given.value);
    const text = `${setting.name} is now ${settingText(setting)}. ${workerNote(setting)}`;
    context.output.result(asData(setting), text);
  },
});

const unset = defineCommand({
  usage: 'unset <name>',
  describe: 'Remove a setting',
  positionals: { name },
  examples: [['$0 settings unset limit.up', 'send as fast as possible']],
  async run(context, given) {
    const settings = await Settings.open(context.home);
    settings.unset(given.name);
    const setting = settings.get(given.name);
    context.output.result(asData(setting), `${given.name} is unset: ${otherwise(setting)}. ${workerNote(setting)}`);
  },
});

/** The settings of both agents of this machine. */
export const settings: CommandGroup = {
  name: 'settings',
  describe: "Show or change the settings of this machine's agents",
  commands: [list, get, set, unset],
  examples: [
    ['$0 settings set limit.up 20MB', 'send at most 20 MB/s, all transfers of an agent together'],
    ['$0 settings unset limit.up', 'send as fast as possible'],
    ['$0 settings set data-cache.size 500GB', 'let a worker keep more of the data that jobs read'],
  ],
};

function workerNote({ name: setting }: Setting): string {
  return READ_EACH_TIME.includes(setting)
    ? 'A running worker goes by it now.'
    : 'Restart a running worker to apply it.';
}

/** What applies when nothing is set, as the end of a sentence. */
function otherwise(setting: Setting): string {
  const text = settingText({ ...setting, value: undefined });
  return text === 'no limit' ? 'there is no limit' : `it is ${text}`;
}

function asData({ name, value, unit, amount, list }: Setting): object {
  return { name, value: value ?? null, [unit]: amount ?? list ?? null };
}
