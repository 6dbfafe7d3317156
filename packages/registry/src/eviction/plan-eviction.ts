import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { Ledger, type Occupant } from './ledger.ts';
import type { RoomOptions, Spared } from './types.ts';

/** A model that takes room, and may have to go. */
export interface Candidate extends Occupant {
  readonly lastUsedMs: number;
  /** Undefined for one that may go. */
  readonly spared: Spared | undefined;
}

/**
 * Decides what goes: first what has taken the most room for the longest time without being used (bytes times time), and nothing that
 * turns out not to be needed for the model that comes.
 *
 * @returns undefined when it would not fit however much goes
 */
export function planEviction<O extends Candidate>(
  occupants: readonly O[],
  { capBytes, bytes, comingBytes = 0 }: Pick<RoomOptions, 'capBytes' | 'bytes' | 'comingBytes'>,
  nowMs: number,
): readonly O[] | undefined {
  const ledger = new Ledger(occupants);
  const isTooMuch = (): boolean => ledger.usedBytes + comingBytes + bytes > capBytes;
  const costOf = ({ bytes: size, lastUsedMs }: O): number => size * Math.max(1, nowMs - lastUsedMs);
  const candidates = occupants.filter(({ spared, bytes: size }) => spared === undefined && size > 0);
  const chosen: O[] = [];
  for (const candidate of candidates.sort((a, b) => costOf(b) - costOf(a) || (a.id < b.id ? -1 : 1))) {
    if (!isTooMuch()) break;
    chosen.push(candidate);
    ledger.remove(candidate);
  }
  if (isTooMuch()) return undefined;
  return chosen.filter((candidate) => {
    // Those chosen later may be large enough alone, and what shares all its files with a model that stays frees nothing.
    ledger.add(candidate);
    if (!isTooMuch()) return false;
    ledger.remove(candidate);
    return true;
  });
}

const SENTENCES: Readonly<Record<Spared, string>> = {
  alias: 'have an alias',
  pin: 'are pinned',
  release: 'are installed releases',
  linked: 'are links to files elsewhere',
  training: 'are being trained',
  in_use: 'are being read',
  needed: 'are needed by unfinished transfers',
};

/** Says what is in the way. */
export function noRoomError(
  occupants: readonly Candidate[],
  { capBytes, bytes, comingBytes = 0 }: RoomOptions,
): ModelRtcError {
  const counts = new Map<Spared, number>();
  for (const { spared } of occupants) if (spared !== undefined) counts.set(spared, (counts.get(spared) ?? 0) + 1);
  const why = [...counts].map(([spared, count]) => `${count} ${SENTENCES[spared]}`).join(', ');
  const stays = why === '' ? '' : ` Of the models here ${why}, so they stay.`;
  const { usedBytes } = new Ledger(occupants);
  const coming = comingBytes > 0 ? `, other transfers are bringing ${formatBytes(comingBytes)}` : '';
  const sentence = `The model needs ${formatBytes(bytes)}, the models here take ${formatBytes(usedBytes)}${coming}, and storage.cap allows ${formatBytes(capBytes)}.${stays} Remove models with client delete-model, or raise it: model-rtc settings set storage.cap SIZE.`;
  const details = { neededBytes: bytes, usedBytes, capBytes, setting: 'storage.cap' };
  return new ModelRtcError('storage_full', sentence, { details });
}
