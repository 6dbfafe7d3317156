import { ModelRtcError, type Settings, settingKeySchema, settingsSchema } from '@model-rtc/protocol';

/**
 * Settings from `KEY=VALUE` texts. The worker reads each value as its runner declares it.
 * @throws ModelRtcError `bad_argument`
 */
export function parseSettings(texts: readonly string[]): Settings {
  const settings: Record<string, string> = {};
  for (const text of texts) {
    const split = text.indexOf('=');
    const [key, value] = [text.slice(0, split), text.slice(split + 1)];
    if (split < 1 || !settingKeySchema.safeParse(key).success) {
      throw badSetting(text, 'write KEY=VALUE, with a KEY of letters, digits, _ and - that starts with a letter');
    }
    if (Object.hasOwn(settings, key)) throw badSetting(text, `"${key}" is given twice`);
    settings[key] = value;
  }
  const parsed = settingsSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new ModelRtcError('bad_argument', `--set is not valid: ${parsed.error.issues[0]?.message}.`);
}

function badSetting(text: string, problem: string): ModelRtcError {
  return new ModelRtcError('bad_argument', `--set ${JSON.stringify(text.slice(0, 200))}: ${problem}.`);
}
