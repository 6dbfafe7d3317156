import { dataFolder } from '@model-rtc/registry';
import { COMMON_OPTIONS } from '../../command-line/types.ts';
import type { Runtime } from '../../console/runtime.ts';
import { COMMANDS } from '../index.ts';
import { complete } from './complete.ts';
import { knownNames } from './known-names.ts';

/**
 * Answers a shell: a candidate a line, with what it is behind a tab (bash) or a colon (zsh); then `:files` or `:directories`
 * where the shell is to complete paths. Whatever goes wrong, nothing is printed: it would end up in a person's line.
 *
 * @param args - the shell, and the words after the program's name up to the cursor.
 */
export async function printCompletions([shell, ...words]: readonly string[], runtime: Runtime): Promise<void> {
  try {
    const home = dataFolder({ env: runtime.env, platform: runtime.platform, home: runtime.userHome });
    const { candidates, paths } = await complete(COMMANDS, COMMON_OPTIONS, words, (kind) => knownNames(kind, home));
    const lines = candidates.map(({ value, describe }) =>
      shell === 'zsh' ? `${value.replaceAll(':', '\\:')}:${describe}` : `${value}\t${describe}`,
    );
    if (paths !== undefined) lines.push(paths === 'folders' ? ':directories' : ':files');
    runtime.stdout.write(lines.map((line) => `${line}\n`).join(''));
  } catch {
    // No completions.
  }
}
