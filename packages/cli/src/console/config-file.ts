import { ModelRtcError } from '@model-rtc/protocol';
import type Conf from 'conf';

/** `config.json` of the data folder: the settings, and the saved workers with their sessions. */
export type ConfigFile = Conf<Record<string, unknown>>;

/**
 * Opens `config.json`, mode 0600.
 *
 * @param home - the data folder.
 * @throws ModelRtcError `storage` when the file is damaged.
 */
export async function openConfigFile(home: string): Promise<ConfigFile> {
  // Loaded here, since it takes longer to load than most commands take to run, and few of them need it.
  const { default: Conf } = await import('conf');
  const { makeRoot } = await import('@model-rtc/registry');
  await makeRoot(home);
  try {
    return new Conf({ cwd: home, configName: 'config', configFileMode: 0o600 });
  } catch (error) {
    // A SyntaxError quotes the file, and with it perhaps a session, which a log would keep.
    const isQuoting = (error as { name?: unknown }).name === 'SyntaxError';
    const cause = isQuoting ? new SyntaxError('The file is not JSON.') : error;
    const sentence = `The settings in ${home}/config.json cannot be read. Fix the file, or move it away.`;
    throw ModelRtcError.because(cause, 'storage', sentence);
  }
}
