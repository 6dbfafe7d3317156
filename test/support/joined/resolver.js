import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY, SCRIPT_VARIABLE, standInOf } from './places.js';

const standIns = new Map();

/** Jest's resolver. Leads imports of what is in the script to the module that takes it from there. */
export function sync(path, options) {
  const file = options.defaultResolver(path, options);
  const script = process.env[SCRIPT_VARIABLE];
  if (script === undefined || !file.startsWith(REPOSITORY)) return file;
  let found = standIns.get(`${script} ${file}`);
  if (found === undefined) {
    const standIn = join(dirname(script), standInOf(file));
    found = existsSync(standIn) ? standIn : file;
    standIns.set(`${script} ${file}`, found);
  }
  return found;
}
