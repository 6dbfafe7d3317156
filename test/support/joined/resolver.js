import { existsSync } from 'node:fs';
import { REPOSITORY, SCRIPT_VARIABLE, standInFor } from './places.js';

const standIns = new Map();

/** Jest's resolver. Leads imports of what is in the script to the module that takes it from there. */
export function sync(path, options) {
  const file = options.defaultResolver(path, options);
  if (process.env[SCRIPT_VARIABLE] === undefined || !file.startsWith(REPOSITORY)) return file;
  let found = standIns.get(file);
  if (found === undefined) {
    const standIn = standInFor(file);
    found = existsSync(standIn) ? standIn : file;
    standIns.set(file, found);
  }
  return found;
}
