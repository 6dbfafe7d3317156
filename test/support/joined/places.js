import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
/** Has a folder for each script, and in it for each file of the script the module that tests import in its place. */
export const FOLDER = join(REPOSITORY, 'node_modules/.cache/model-rtc-tests/joined');
/** Tells the processes that jest starts where the script of this run is. */
export const SCRIPT_VARIABLE = 'MODEL_RTC_TEST_SCRIPT';
export const SCRIPT = 'script.js';
/** The global function of a test file that evaluates a file of the script, with what it imports. */
export const EVALUATE = 'model-rtc evaluate';

/** The path of the module for a file, in the folder of the script. */
export function standInOf(file) {
  return `${file.slice(REPOSITORY.length)}.cjs`;
}
