import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, isMissing, makeFolder, removeTemporaries, withLock, writeFileAtomic } from '@model-rtc/files';
import { type Identity, identityFromSeed, ModelRtcError } from '@model-rtc/protocol';

const SEED_BYTES = 32;

/**
 * The Ed25519 identity of this machine's worker, made on first use and kept with mode 0600.
 *
 * @param keysFolder - the registry's `keys/` folder.
 * @throws ModelRtcError `storage` when the key file cannot be read or holds something else.
 */
export async function loadIdentity(keysFolder: string): Promise<Identity> {
  return identityFromSeed(await loadIdentitySeed(keysFolder));
}

/**
 * The private key of that identity, 32 bytes: for computing what it shares with another key. Do not keep or show it.
 * @throws ModelRtcError as `loadIdentity` does
 */
export async function loadIdentitySeed(keysFolder: string): Promise<Uint8Array> {
  const path = join(keysFolder, 'identity.key');
  return (await readSeed(path)) ?? (await createSeed(path));
}

/** The public key of this machine's worker in hex; undefined when no worker has run with this folder yet. */
export async function ownWorkerKey(keysFolder: string): Promise<string | undefined> {
  const seed = await readSeed(join(keysFolder, 'identity.key'));
  return seed === undefined ? undefined : Buffer.from(identityFromSeed(seed).publicKey).toString('hex');
}

async function readSeed(path: string): Promise<Uint8Array | undefined> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw ModelRtcError.because(error, 'storage', `The identity key ${path} cannot be read; check its permissions.`);
  }
  if (/^[0-9a-f]{64}$/.test(text)) return new Uint8Array(Buffer.from(text, 'hex'));
  throw new ModelRtcError(
    'storage',
    `The identity key ${path} is damaged. Restore it from a backup. Or move it away: the worker then makes a new key, and every session must be issued again.`,
  );
}

/** When several processes start for the first time, one makes the key and the others use it. It is never seen half written. */
async function createSeed(path: string): Promise<Uint8Array> {
  const folder = dirname(path);
  await atStorage(folder, 'created', () => makeFolder(folder, 0o700));
  return await withLock(`${path}.lock`, {}, async () => {
    await removeTemporaries(path);
    const existing = await readSeed(path);
    if (existing !== undefined) return existing;
    const seed = randomBytes(SEED_BYTES);
    await atStorage(path, 'written', () => writeFileAtomic(path, `${seed.toString('hex')}\n`, { mode: 0o600 }));
    return new Uint8Array(seed);
  });
}
