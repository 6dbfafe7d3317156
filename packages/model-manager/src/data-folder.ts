import { homedir } from 'node:os';
import { dataFolder, type Surroundings } from '@model-rtc/registry';
import { ModelManagerError } from './errors.ts';

/**
 * The folder in which a program keeps its models: `<APPNAME>_MODELS_DIR`, else a folder with the program's name in the platform's folder
 * for application data (XDG_DATA_HOME, Application Support, APPDATA).
 * @param surroundings - this process's by default
 * @throws ModelManagerError `invalid_reference` for a name that cannot be a folder, or when there is no home folder
 */
export function modelsDataFolder(appName: string, surroundings: Surroundings = ownSurroundings()): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(appName) || /\.$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(appName)) {
    throw new ModelManagerError(
      'invalid_reference',
      'bad_argument',
      `"${appName}" cannot name a folder. An appName has 1 to 64 letters, digits, ".", "_" and "-", and begins with a letter or digit.`,
    );
  }
  return dataFolder(surroundings, { folderName: appName, variable: modelsDirVariable(appName) });
}

/** The environment variable that overrides the folder: `MYTOOL_MODELS_DIR` for `mytool`. */
export function modelsDirVariable(appName: string): string {
  return `${appName.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_MODELS_DIR`;
}

function ownSurroundings(): Surroundings {
  return { env: process.env, platform: process.platform, home: homeFolder() };
}

function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    // A user without an account, as in a container.
    return undefined;
  }
}
