import { type Identity, ModelRtcError } from '@model-rtc/protocol';
import { registryError } from '../format/errors.ts';
import { ModelList } from '../format/model-list.ts';
import { LIST_PATH, SIGNATURES_PATH } from '../format/paths.ts';
import { signatureOver } from '../sign/check-list.ts';
import { isGenuine, type ListSignature, listDigest, parseSignatures, publicKeyOf } from '../sign/signatures.ts';
import type { TrustedRegistries } from '../sign/trusted-registries.ts';
import type { PublishTarget } from './target.ts';

/** How a publisher signs the list of models. */
export interface Signing {
  /** At least one: several while readers move from one key to another. */
  readonly signers: readonly Identity[];
  /** Keys of the other publishers of this registry: their lists are carried on. */
  readonly trustKeys?: readonly string[] | undefined;
  /** Signs what is there although none of these keys signed it, or although it is old: its owner looked at it. */
  readonly adopt?: boolean | undefined;
  /** Where the newest list is remembered. */
  readonly registries?: TrustedRegistries | undefined;
}

/** A registry as a publisher finds it. */
export interface RegistryState {
  readonly list: ModelList;
  /** The bytes of the list; undefined when there is none yet. */
  readonly bytes: Uint8Array | undefined;
  readonly listTag: string | undefined;
  /** Where the publisher signs. */
  readonly signed: SignedState | undefined;
}

export interface SignedState {
  readonly signing: Signing;
  readonly signatures: readonly ListSignature[];
  readonly signaturesTag: string | undefined;
  /** The keys whose signatures count. */
  readonly keys: readonly string[];
  /** The trusted signature over the list that is there. */
  readonly current: ListSignature | undefined;
  /** The highest number that was ever given, as far as this machine can know. */
  readonly sequence: number;
}

/**
 * Reads what a publisher begins with.
 * @throws ModelRtcError `refused` when the registry is signed and the publisher is not going to sign, or would sign what somebody else changed
 */
export async function readState(
  target: PublishTarget,
  signing: Signing | undefined,
  signal: AbortSignal | undefined,
): Promise<RegistryState> {
  // The signatures are read after the list: its own are written before it.
  const stored = await target.readNamed(LIST_PATH, signal);
  const storedSignatures = await target.readNamed(SIGNATURES_PATH, signal);
  const list =
    stored === undefined
      ? ModelList.empty()
      : ModelList.parse(new TextDecoder('utf-8', { fatal: true }).decode(stored.bytes));
  const base = { list, bytes: stored?.bytes, listTag: stored?.tag };
  if (signing === undefined) {
    if (storedSignatures !== undefined) throw mustSign(target.name);
    return { ...base, signed: undefined };
  }
  const signatures = signaturesIn(storedSignatures?.bytes, signing);
  const keys = [...new Set([...signing.signers.map(publicKeyOf), ...(signing.trustKeys ?? [])])];
  const current = stored === undefined ? undefined : signatureOver(signatures, listDigest(stored.bytes), keys);
  const newest = await signing.registries?.newest(target.name, keys);
  const sequence = Math.max(newest?.sequence ?? 0, ...sequencesOf(signatures, keys));
  if (signing.adopt !== true) {
    if (stored === undefined && newest !== undefined) throw gone(target.name);
    // An empty list that replaced a signed one is somebody's change as well.
    const isWritten = stored !== undefined && (sequence > 0 || Object.keys(list.raw).length > 0);
    if (current === undefined && isWritten) throw notOurs(target.name, storedSignatures !== undefined);
    if (current !== undefined) await signing.registries?.note(target.name, current, keys);
  }
  const signaturesTag = storedSignatures?.tag;
  return { ...base, signed: { signing, signatures, signaturesTag, keys, current, sequence } };
}

function signaturesIn(bytes: Uint8Array | undefined, { adopt }: Signing): ListSignature[] {
  if (bytes === undefined) return [];
  try {
    return parseSignatures(bytes);
  } catch (error) {
    if (adopt === true) return [];
    throw error;
  }
}

/** Numbers that strangers wrote do not count: a very high one would end the registry. */
function sequencesOf(signatures: readonly ListSignature[], keys: readonly string[]): number[] {
  return signatures.filter((one) => keys.includes(one.key) && isGenuine(one)).map(({ sequence }) => sequence);
}

function mustSign(name: string): ModelRtcError {
  return new ModelRtcError(
    'refused',
    `${name} is a signed registry: readers who pinned its key would refuse a list without a signature. Pass --sign. To sign no more, tell the readers, and remove ${SIGNATURES_PATH} first.`,
  );
}

function notOurs(name: string, isSigned: boolean): ModelRtcError {
  const what = isSigned ? 'is not one that you or a publisher whom you trust signed' : 'is not signed';
  return registryError(
    'signature_missing',
    `The list of models in ${name} ${what}, so signing it would vouch for what others wrote. Look at it, then pass --adopt to sign it as it is${isSigned ? ', or --trust-key KEY if another publisher signs it' : ''}.`,
  );
}

function gone(name: string): ModelRtcError {
  return registryError(
    'list_rolled_back',
    `${name} has no list of models any more, and had one. Check the address, or restore it. To begin anew, pass --adopt.`,
  );
}
