import type { Context } from '../console/context.ts';
import { type Setting, type SettingName, Settings, settingText } from '../console/settings.ts';
import { renderTable } from '../console/table.ts';

const WORKER_NOTE = 'A worker that is running takes it at its next start.';

export async function listSettings(context: Context): Promise<void> {
  const settings = (await Settings.open(context.home)).list();
  const text = renderTable(
    settings,
    [
      { title: 'SETTING', value: ({ name }) => name },
      { title: 'VALUE', value: settingText },
      { title: 'MEANING', value: ({ describe }) => describe, optional: 1 },
    ],
    context.output.columns,
  );
  context.output.result({ settings: settings.map(asData) }, text);
}

export async function getSetting(context: Context, name: SettingName): Promise<void> {
  const setting = (await Settings.open(context.home)).get(name);
  context.output.result(asData(setting), setting.value ?? '');
  if (setting.value === undefined) context.output.note(`${name} is not set: there is no limit.`);
}

export async function setSetting(context: Context, name: SettingName, value: string): Promise<void> {
  const setting = (await Settings.open(context.home)).set(name, value);
  context.output.result(
    asData(setting),
    `${name} is ${settingText(setting)}, from the next command on. ${WORKER_NOTE}`,
  );
}

export async function unsetSetting(context: Context, name: SettingName): Promise<void> {
  const settings = await Settings.open(context.home);
  settings.unset(name);
  context.output.result(asData(settings.get(name)), `${name} is not set any more: there is no limit. ${WORKER_NOTE}`);
}

function asData({ name, value, bytesPerSecond }: Setting): object {
  return { name, value: value ?? null, bytesPerSecond: bytesPerSecond ?? null };
}
