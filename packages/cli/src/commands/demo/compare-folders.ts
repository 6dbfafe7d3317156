import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ModelRtcError, OWN_FOLDER } from '@model-rtc/protocol';

/**
 * Reads two model folders with nothing of the transfer's own code, and gives the number of files that are the same.
 *
 * @throws ModelRtcError `verification_failed` naming the first file that differs or is on one side only.
 */
export async function compareFolders(one: string, other: string): Promise<number> {
  const [first, second] = await Promise.all([fingerprints(one), fingerprints(other)]);
  for (const path of new Set([...first.keys(), ...second.keys()])) {
    if (first.get(path) === second.get(path)) continue;
    throw new ModelRtcError('verification_failed', `The two copies differ: ${path}`);
  }
  return first.size;
}

/** Path inside the folder -> size and SHA-256. Links are followed, as any tool that opens the file would. */
async function fingerprints(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const absolute = join(entry.parentPath, entry.name);
    const path = relative(folder, absolute).split(sep).join('/');
    if (entry.isDirectory() || path.startsWith(`${OWN_FOLDER}/`)) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(absolute), hash);
    found.set(path, `${(await stat(absolute)).size} ${hash.digest('hex')}`);
  }
  return found;
}
