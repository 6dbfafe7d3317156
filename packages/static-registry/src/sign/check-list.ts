import { LONGEST_PATIENCE_MS, readWhole } from '@model-rtc/http';
import { type Clock, type ModelRtcError, pause } from '@model-rtc/protocol';
import { registryError } from '../format/errors.ts';
import { SIGNATURES_PATH } from '../format/paths.ts';
import { MAX_SIGNATURES_BYTES, SIGNATURE_RETRIES, SIGNATURE_RETRY_MS } from '../limits.ts';
import { fileIn, type RegistryStore } from '../store/types.ts';
import { isGenuine, type ListSignature, listDigest, parseSignatures } from './signatures.ts';
import type { TrustedRegistries } from './trusted-registries.ts';

export interface ListTrust {
  /** Pinned keys, and the newest lists that were seen. */
  readonly registries: TrustedRegistries;
  /** These keys alone count, whatever is pinned. */
  readonly keys?: readonly string[] | undefined;
  /** These count as well, and are pinned once they have signed a list that was accepted. */
  readonly pin?: readonly string[] | undefined;
}

export interface CheckOptions extends ListTrust {
  readonly store: RegistryStore;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Refuses a list of models that none of the trusted keys signed, or that is older than one that was seen. Where no key is trusted,
 * every list is accepted.
 * @param bytes - as they were read
 * @throws ModelRtcError `verification_failed`; `storage` when nobody can know which keys are trusted
 */
export async function checkList(
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
  options: CheckOptions,
): Promise<void> {
  const { registries, store, pin = [] } = options;
  const keys = [...new Set([...(options.keys ?? (await registries.keysOf(store.url))), ...pin])];
  if (keys.length === 0) return;
  const found = await findSignature(bytes, keys, signal, options);
  await registries.note(store.url, found, keys);
  await registries.pin(store.url, pin);
}

async function findSignature(
  bytes: Uint8Array,
  keys: readonly string[],
  signal: AbortSignal | undefined,
  { store, clock, random }: CheckOptions,
): Promise<ListSignature> {
  const sha256 = listDigest(bytes);
  for (let attempt = 0; ; attempt++) {
    const reading = { clock, random, signal, patienceMs: LONGEST_PATIENCE_MS, maxBytes: MAX_SIGNATURES_BYTES };
    const answer = await readWhole(fileIn(store, SIGNATURES_PATH), reading);
    if (answer.kind !== 'found') throw unsigned(store.url);
    const signatures = parseSignatures(answer.bytes);
    const found = signatureOver(signatures, sha256, keys);
    if (found !== undefined) return found;
    const isOfOthers = !signatures.some(({ key }) => keys.includes(key));
    if (isOfOthers) throw signedByOthers(store.url, signatures);
    // A cache may be late with one of the two files.
    if (attempt >= SIGNATURE_RETRIES) throw changed(store.url);
    await pause(SIGNATURE_RETRY_MS, clock, signal);
  }
}

/** The newest signature of a trusted key over a list. */
export function signatureOver(
  signatures: readonly ListSignature[],
  sha256: string,
  keys: readonly string[],
): ListSignature | undefined {
  const over = signatures.filter((one) => one.sha256 === sha256 && keys.includes(one.key));
  return over.sort((a, b) => b.sequence - a.sequence).find(isGenuine);
}

function unsigned(url: string): ModelRtcError {
  return registryError(
    'signature_missing',
    `The list of models at ${url} is not signed, and a key is pinned for it. Nothing was taken from there. Ask the publisher.`,
    { url },
  );
}

function signedByOthers(url: string, signatures: readonly ListSignature[]): ModelRtcError {
  const by = [...new Set(signatures.map(({ key }) => key))];
  const others = by.length === 0 ? 'nobody' : by.slice(0, 3).join(', ');
  return registryError(
    'signature_missing',
    `The list of models at ${url} is signed by ${others}, and by none of the pinned keys. Nothing was taken from there. Ask the publisher whether the key changed.`,
    { url, keys: by },
  );
}

function changed(url: string): ModelRtcError {
  return registryError(
    'signature_invalid',
    `The list of models at ${url} is not the one that its publisher signed. Nothing was taken from there. Try again in some minutes, then tell the publisher.`,
    { url },
  );
}
