import { readFile, writeFile } from 'node:fs/promises';
import { type Clock, pause, systemClock } from '@model-rtc/protocol';
import { PRIORITIES, type Priority } from '../../core/rate/priority.ts';
import { cancelPath, findTransfer, priorityPath, readRecord, readTransfers, removeAsks, shown } from './record-file.ts';
import { isOver, type TransferRecord } from './types.ts';

/** How soon a transfer notices what another process asks of it. */
export const ASK_POLL_MS = 500;
/** How long to wait for the transfer to do what it was asked. */
const WAIT_MS = 15_000;

interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

export interface CancelledTransfer {
  readonly transfer: TransferRecord;
  /** `asked` when it has not ended within the time that this waits. */
  readonly outcome: 'cancelled' | 'over_already' | 'asked';
}

/**
 * Cancels a transfer of any process of this machine, as Ctrl+C does: what has arrived is kept. Waits for its end.
 *
 * @param prefix - the start of its id
 * @throws ModelRtcError `not_found_locally`, `ambiguous`, `bad_argument`, `cancelled`
 */
export async function cancelTransfer(
  folder: string,
  prefix: string,
  options: AskOptions = {},
): Promise<CancelledTransfer> {
  const transfer = await findTransfer(folder, prefix);
  if (isOver(transfer)) return { transfer, outcome: 'over_already' };
  await writeFile(cancelPath(folder, transfer.id), '', { mode: 0o600 });
  const ended = await latestThat(isOver, folder, transfer.id, options);
  if (ended === undefined) return { transfer, outcome: 'asked' };
  return { transfer: ended, outcome: ended.state === 'completed' ? 'over_already' : 'cancelled' };
}

export interface PrioritizedTransfer {
  readonly transfer: TransferRecord;
  readonly before: Priority;
  /** `asked` when it has not taken notice within the time that this waits. */
  readonly outcome: 'changed' | 'unchanged' | 'over_already' | 'asked';
}

/**
 * Gives a transfer of any process of this machine another priority, and waits until it has it.
 *
 * @param prefix - the start of its id
 * @throws ModelRtcError `not_found_locally`, `ambiguous`, `bad_argument`, `cancelled`
 */
export async function prioritizeTransfer(
  folder: string,
  prefix: string,
  priority: Priority,
  options: AskOptions = {},
): Promise<PrioritizedTransfer> {
  const transfer = await findTransfer(folder, prefix);
  const before = transfer.priority;
  if (isOver(transfer)) return { transfer, before, outcome: 'over_already' };
  await writeFile(priorityPath(folder, transfer.id), priority, { mode: 0o600 });
  const isDone = (one: TransferRecord): boolean => isOver(one) || one.priority === priority;
  const latest = await latestThat(isDone, folder, transfer.id, options);
  if (latest === undefined) return { transfer, before, outcome: 'asked' };
  if (latest.priority !== priority) return { transfer: latest, before, outcome: 'over_already' };
  return { transfer: latest, before, outcome: before === priority ? 'unchanged' : 'changed' };
}

/** The priority that another process gave a transfer; undefined where none did. */
export async function wantedPriority(folder: string, id: string): Promise<Priority | undefined> {
  const text = await readFile(priorityPath(folder, id), 'utf8').catch(() => '');
  return PRIORITIES.find((one) => one === text.trim());
}

/** Waits until a transfer is as wanted. @returns undefined when it is not in time, or its record is gone */
async function latestThat(
  isWanted: (record: TransferRecord) => boolean,
  folder: string,
  id: string,
  { signal, clock = systemClock }: AskOptions,
): Promise<TransferRecord | undefined> {
  const untilMs = clock.nowMs() + WAIT_MS;
  while (clock.nowMs() < untilMs) {
    await pause(ASK_POLL_MS / 2, clock, signal);
    const stored = await readRecord(folder, id);
    // A killed process is noticed by looking at all.
    const latest =
      stored === undefined || isOver(stored)
        ? stored && shown(stored)
        : (await readTransfers(folder)).find((one) => one.id === id);
    if (latest === undefined) return undefined;
    if (!isWanted(latest)) continue;
    // It may have ended before it saw the question.
    if (isOver(latest)) await removeAsks(folder, id);
    return latest;
  }
  return undefined;
}
