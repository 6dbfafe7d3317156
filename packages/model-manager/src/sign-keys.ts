import { type Identity, ModelRtcError } from '@model-rtc/protocol';
import { dataPaths, loadIdentity } from '@model-rtc/registry';
import { parsePublicKey, publicKeyOf, readSigner, type Signing } from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import type { PublishOptions } from './types.ts';

/** How to sign; undefined for not at all. */
export async function signingOf(
  context: ManagerContext,
  { sign, signKeyFiles = [], trustKeys = [], adopt }: PublishOptions,
): Promise<Signing | undefined> {
  const ofFiles = await Promise.all(signKeyFiles.map(readSigner));
  const signers = sign === true ? [await ownIdentity(context), ...ofFiles] : ofFiles;
  if (signers.length > 0) {
    return { signers, trustKeys: trustKeys.map(parsePublicKey), adopt, registries: context.trusted };
  }
  if (adopt !== true && trustKeys.length === 0) return undefined;
  throw new ModelRtcError('bad_argument', '--adopt and --trust-key are for signed registries. Pass --sign as well.');
}

export async function publicKey(context: ManagerContext, keyFile: string | undefined): Promise<string> {
  return publicKeyOf(keyFile === undefined ? await ownIdentity(context) : await readSigner(keyFile));
}

async function ownIdentity({ home }: ManagerContext): Promise<Identity> {
  return await loadIdentity(dataPaths(home).keys);
}
