import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { ModelList } from '../format/model-list.ts';
import { LIST_PATH, SIGNATURES_PATH } from '../format/paths.ts';
import { KEPT_SIGNATURES, MAX_LIST_ATTEMPTS, MAX_LIST_BYTES, MAX_SIGNATURES, PENDING_SIGNATURE_MS } from '../limits.ts';
import { isGenuine, type ListSignature, listDigest, signaturesText, signList } from '../sign/signatures.ts';
import { type RegistryState, readState, type SignedState, type Signing } from './registry-state.ts';
import type { PublishTarget } from './target.ts';

export interface ListChangeOptions {
  readonly signing: Signing | undefined;
  /** Gives the new text; undefined for no change. */
  readonly change: (list: ModelList) => string | undefined;
  readonly now: () => Date;
  readonly signal: AbortSignal | undefined;
}

export interface ListChangeResult {
  readonly isChanged: boolean;
  /** The signatures over the list as it is now; none where nobody signs. */
  readonly signatures: readonly ListSignature[];
}

/**
 * Changes the list of models, again when another publisher was faster: what both changed is kept. Signatures are written before the
 * list that they are for, beside those of the list that is there, so a reader finds one whenever it looks.
 * @throws ModelRtcError `busy` when other publishers keep changing it; as `readState`
 */
export async function changeList(target: PublishTarget, options: ListChangeOptions): Promise<ListChangeResult> {
  const { signing, change, signal } = options;
  const given: ListSignature[] = [];
  for (let attempt = 0; attempt < MAX_LIST_ATTEMPTS; attempt++) {
    const state = await readState(target, signing, signal);
    const text = change(state.list);
    const bytes = text === undefined ? state.bytes : new TextEncoder().encode(text);
    if (bytes === undefined) return { isChanged: false, signatures: [] };
    if (bytes.length > MAX_LIST_BYTES) throw tooLong(target.name, bytes.length);
    const { signed } = state;
    if (text === undefined && (signed === undefined || signed.current !== undefined)) {
      return { isChanged: false, signatures: signed?.current === undefined ? [] : [signed.current] };
    }
    const fresh = signed === undefined ? [] : signaturesFor(bytes, signed, options.now());
    if (signed !== undefined && !(await writeSignatures(target, { state, signed, fresh, given }, options))) continue;
    given.push(...fresh);
    const isWritten = text === undefined || (await target.writeNamed(LIST_PATH, bytes, state.listTag, signal));
    if (!isWritten) continue;
    const [first] = fresh;
    if (signed !== undefined && first !== undefined) await signing?.registries?.note(target.name, first, signed.keys);
    return { isChanged: text !== undefined, signatures: fresh };
  }
  throw new ModelRtcError(
    'busy',
    `Other publishers keep changing the list of models in ${target.name}. What was written is kept; run the same command again.`,
  );
}

function signaturesFor(bytes: Uint8Array, { signing, sequence }: SignedState, now: Date): ListSignature[] {
  const next = sequence + 1;
  if (!Number.isSafeInteger(next)) {
    throw new ModelRtcError('invalid_model', `${SIGNATURES_PATH} has no number left. Begin with another key.`);
  }
  const signed = { sha256: listDigest(bytes), sequence: next, time: now.toISOString() };
  return signing.signers.map((signer) => signList(signer, signed));
}

interface Writing {
  readonly state: RegistryState;
  readonly signed: SignedState;
  readonly fresh: readonly ListSignature[];
  /** What this publisher signed in attempts that failed. */
  readonly given: readonly ListSignature[];
}

async function writeSignatures(
  target: PublishTarget,
  { state, signed, fresh, given }: Writing,
  { now, signal }: ListChangeOptions,
): Promise<boolean> {
  const failed = new Set(given.map(({ signature }) => signature));
  const others = signed.signatures.filter(({ signature }) => !failed.has(signature));
  const kept = keptSignatures(others, { ...signed, bytes: state.bytes, nowMs: now().getTime() });
  const all = [...fresh, ...kept];
  if (all.length > MAX_SIGNATURES) {
    throw new ModelRtcError(
      'busy',
      `Too many publishers are at ${target.name} at once. Run the same command again later.`,
    );
  }
  const bytes = new TextEncoder().encode(signaturesText(all));
  return await target.writeNamed(SIGNATURES_PATH, bytes, signed.signaturesTag, signal);
}

/**
 * What stays beside new signatures: those over the list that is there, whoever gave them; those that other publishers gave to lists that are
 * about to come; and those of a few earlier lists.
 */
function keptSignatures(
  signatures: readonly ListSignature[],
  {
    keys,
    current,
    bytes,
    nowMs,
  }: Pick<SignedState, 'keys' | 'current'> & { bytes: Uint8Array | undefined; nowMs: number },
): ListSignature[] {
  const currentDigest = bytes === undefined ? undefined : listDigest(bytes);
  const newestFirst = [...signatures].sort((a, b) => b.sequence - a.sequence);
  let earlier = 0;
  return newestFirst.filter((one) => {
    if (one.sha256 === currentDigest) return true;
    if (!keys.includes(one.key) || !isGenuine(one)) return false;
    const isPending = one.sequence > (current?.sequence ?? 0) && nowMs - Date.parse(one.time) < PENDING_SIGNATURE_MS;
    return isPending || ++earlier <= KEPT_SIGNATURES;
  });
}

function tooLong(name: string, bytes: number): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `The list of models in ${name} would take ${formatBytes(bytes)}, and readers take ${formatBytes(MAX_LIST_BYTES)} at most. Publish to another registry.`,
  );
}
