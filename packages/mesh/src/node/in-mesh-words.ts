import { ModelRtcError } from '@model-rtc/protocol';

/**
 * The error of a visit to a member's worker, for people: members have no session token that they could ask an owner for.
 * @param whose - who did not answer, as the start of a sentence
 */
export function inMeshWords(error: unknown, whose: string): ModelRtcError {
  const known = ModelRtcError.from(error);
  // The worker does not know the key of the session.
  if (known.code !== 'refused' || typeof known.details?.keyId !== 'string') return known;
  const sentence = `${whose} does not take this machine for a member of the mesh: it was removed, or has joined a moment ago and that is not known there yet. See what is known here: model-rtc mesh peers.`;
  return ModelRtcError.because(known, 'refused', sentence);
}
