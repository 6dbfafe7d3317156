import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { RoomOptions, Spared } from './types.ts';

/** A model that takes room. */
export interface Occupant {
  readonly id: string;
  readonly bytes: number;
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
export function planEviction<O extends Occupant>(
  occupants: readonly O[],
  { capBytes, bytes, comingBytes = 0 }: Pick<RoomOptions, 'capBytes' | 'bytes' | 'comingBytes'>,
  nowMs: number,
): readonly O[] | undefined {
  let tooMuch = sum(occupants) + comingBytes + bytes - capBytes;
  if (tooMuch <= 0) return [];
  const costOf = ({ bytes: size, lastUsedMs }: O): number => size * Math.max(1, nowMs - lastUsedMs);
  const candidates = occupants.filter(({ spared, bytes: size }) => spared === undefined && size > 0);
  const chosen: O[] = [];
  for (const candidate of candidates.sort((a, b) => costOf(b) - costOf(a) || (a.id < b.id ? -1 : 1))) {
    if (tooMuch <= 0) break;
    chosen.push(candidate);
    tooMuch -= candidate.bytes;
  }
  if (tooMuch > 0) return undefined;
  return chosen.filter((candidate, i) => {
    // Those chosen later may be large enough alone.
    const isNeeded = i === chosen.length - 1 || tooMuch + candidate.bytes > 0;
    if (!isNeeded) tooMuch += candidate.bytes;
    return isNeeded;
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
  occupants: readonly Occupant[],
  { capBytes, bytes, comingBytes = 0 }: RoomOptions,
): ModelRtcError {
  const counts = new Map<Spared, number>();
  for (const { spared } of occupants) if (spared !== undefined) counts.set(spared, (counts.get(spared) ?? 0) + 1);
  const why = [...counts].map(([spared, count]) => `${count} ${SENTENCES[spared]}`).join(', ');
  const stays = why === '' ? '' : ` Of the models here ${why}, so they stay.`;
  const usedBytes = sum(occupants);
  const coming = comingBytes > 0 ? `, other transfers are bringing ${formatBytes(comingBytes)}` : '';
  const sentence = `The model needs ${formatBytes(bytes)}, the models here take ${formatBytes(usedBytes)}${coming}, and storage.cap allows ${formatBytes(capBytes)}.${stays} Remove models with client delete-model, or raise it: model-rtc settings set storage.cap SIZE.`;
  const details = { neededBytes: bytes, usedBytes, capBytes, setting: 'storage.cap' };
  return new ModelRtcError('storage_full', sentence, { details });
}

function sum(items: readonly { readonly bytes: number }[]): number {
  return items.reduce((total, { bytes }) => total + bytes, 0);
}
