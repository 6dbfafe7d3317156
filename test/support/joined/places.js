import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
/** The script of each run, and for each file in it the module that tests import in its place. */
export const FOLDER = join(REPOSITORY, 'node_modules/.cache/model-rtc-tests/joined');
/** Tells the processes that jest starts where the script of this run is. */
export const SCRIPT_VARIABLE = 'MODEL_RTC_TEST_SCRIPT';
/** The global function of a test file that evaluates a file of the script, with what it imports. */
export const EVALUATE = 'model-rtc evaluate';

/** Where tests find a file of the script. */
export function standInFor(file) {
  return `${join(FOLDER, file.slice(REPOSITORY.length))}.cjs`;
}
