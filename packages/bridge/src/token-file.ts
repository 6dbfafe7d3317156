import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { isMissing, storageError, writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';

const TOKEN_BYTES = 32;
/** Characters that a header carries as they are, and enough of them. */
const TOKEN = /^[A-Za-z0-9._~+/=-]{16,512}$/;

/**
 * The bearer token in a file, which is made with mode 0600 where it does not exist. Others are kept from reading one that exists.
 * @throws ModelRtcError `bad_argument` for a file with something else; `storage`
 */
export async function loadToken(path: string): Promise<string> {
  const known = await read(path);
  if (known === undefined) {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    await writeFileAtomic(path, `${token}\n`, { mode: 0o600 });
    return token;
  }
  if (TOKEN.test(known)) return known;
  const sentence = `${path} does not hold a token: one line of 16 to 512 letters, digits and "._~+/=-". Choose another file, and a token is made in it.`;
  throw new ModelRtcError('bad_argument', sentence);
}

async function read(path: string): Promise<string | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return text;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(error, path, 'read');
  }
}
