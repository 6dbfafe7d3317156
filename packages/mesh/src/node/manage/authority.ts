import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isMissing, storageError, writeFileAtomic } from '@model-rtc/files';
import { type Identity, identityFromSeed, ModelRtcError } from '@model-rtc/protocol';
import type { JoinedMesh } from '../state/mesh-folders.ts';

/** A new authority's key. The caller keeps it by `keepAuthority`. */
export function newAuthority(): { readonly identity: Identity; readonly seed: Uint8Array } {
  const seed = new Uint8Array(randomBytes(32));
  return { identity: identityFromSeed(seed), seed };
}

/** @throws ModelRtcError `storage` */
export async function keepAuthority({ authorityKeyFile }: JoinedMesh, seed: Uint8Array): Promise<void> {
  await writeFileAtomic(authorityKeyFile, `${Buffer.from(seed).toString('hex')}\n`, { mode: 0o600 });
}

/** The authority's key; undefined on every machine but the one that made the mesh. @throws ModelRtcError `storage` */
export async function readAuthority({ authorityKeyFile, mesh }: JoinedMesh): Promise<Identity | undefined> {
  let text: string;
  try {
    text = (await readFile(authorityKeyFile, 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(error, authorityKeyFile, 'read');
  }
  const identity = /^[0-9a-f]{64}$/.test(text) ? identityFromSeed(new Uint8Array(Buffer.from(text, 'hex'))) : undefined;
  if (identity !== undefined && Buffer.from(identity.publicKey).toString('hex') === mesh.id) return identity;
  throw new ModelRtcError(
    'storage',
    `The authority's key ${authorityKeyFile} is damaged, or another mesh's. Restore it from a backup.`,
  );
}

/** @param what - what only it can do, as the end of a sentence. @throws ModelRtcError `refused` on any other machine */
export async function requireAuthority(joined: JoinedMesh, what: string): Promise<Identity> {
  const identity = await readAuthority(joined);
  if (identity !== undefined) return identity;
  throw new ModelRtcError(
    'refused',
    `Only the machine that made the mesh ${joined.mesh.name} can ${what}. Run the command there, or restore ${joined.authorityKeyFile} from its backup.`,
  );
}
