import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileVersion, syncFolder } from '@model-rtc/files';

/**
 * Gives a damaged file a name that says so, `registry.corrupted.TIME.json`, so that a new one can take its place.
 * @returns where it is now
 */
export async function keepDamaged(path: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replaceAll(/[:.]/g, '-');
  const name = basename(path, '.json');
  const kept = await freeName((n) => join(dirname(path), `${name}.corrupted.${stamp}${n === 0 ? '' : `-${n}`}.json`));
  await rename(path, kept);
  await syncFolder(dirname(path));
  return kept;
}

async function freeName(nameOf: (attempt: number) => string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const name = nameOf(attempt);
    if ((await fileVersion(name)) === undefined) return name;
  }
}
