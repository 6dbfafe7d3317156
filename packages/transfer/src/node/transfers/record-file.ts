import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSelf, ignoreMissing, isMissing, type LockOwner, lockOwnerSchema, ownerState } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import * as z from 'zod';
import { DEFAULT_PRIORITY, PRIORITIES } from '../../core/rate/priority.ts';
import { isOver, PROCESS_ENDED, TRANSFER_KINDS, TRANSFER_STATES, type TransferRecord } from './types.ts';

/** The ended transfers that are kept, and for how long. */
const MAX_ENDED = 200;
const ENDED_AGE_MS = 30 * 24 * 60 * 60 * 1000;
/** Old files are looked for once there are this many more than are kept. */
const SLACK = 50;
/** A process that cannot be seen from here writes its record again within ten seconds, and counts as ended after this. */
const UNSEEN_MS = 120_000;
const MAX_RECORD_BYTES = 64 * 1024;
const ID = /^[0-9a-f]{10}$/;

const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const time = z.iso.datetime().max(32);
const recordSchema = z.object({
  version: z.literal(1),
  id: z.string().regex(ID),
  kind: z.enum(TRANSFER_KINDS),
  name: z.string().max(1024),
  digest: z.string().max(64).optional(),
  peers: z.array(z.string().max(256)).max(64),
  // Older versions wrote none.
  priority: z.enum(PRIORITIES).default(DEFAULT_PRIORITY),
  state: z.enum(TRANSFER_STATES),
  reason: z.string().max(64).optional(),
  message: z.string().max(2048).optional(),
  ...{ doneBytes: bytes, totalBytes: bytes, bytesPerSecond: z.number().min(0) },
  ...{ startedAt: time, updatedAt: time, endedAt: time.optional() },
  owner: lockOwnerSchema,
});

/** A record with the process that it belongs to. */
export type StoredTransfer = Omit<TransferRecord, 'pid' | 'host'> & { readonly owner: LockOwner };

export function newTransferId(): string {
  return randomBytes(5).toString('hex');
}

/** The file by which another process asks a transfer to stop. */
export function cancelPath(folder: string, id: string): string {
  return join(folder, `${id}.cancel`);
}

/** The file by which another process gives a transfer another priority, which it holds. */
export function priorityPath(folder: string, id: string): string {
  return join(folder, `${id}.priority`);
}

/** Removes what other processes asked of a transfer that is over. */
export async function removeAsks(folder: string, id: string): Promise<void> {
  for (const path of [cancelPath(folder, id), priorityPath(folder, id)]) await rm(path, { force: true });
}

/**
 * Replaces a record in one step. It is not synced: a disk that is busy with the transfer itself must not be made to wait for it each
 * second, and a record that a crash damages says no more than one that is gone.
 */
export async function writeRecord(folder: string, record: StoredTransfer): Promise<void> {
  const path = join(folder, `${record.id}.json`);
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify({ version: 1, ...clipped(record) }), { mode: 0o600 });
  await rename(temporary, path);
}

/** Names and sentences of other machines may be of any length. */
function clipped(record: StoredTransfer): StoredTransfer {
  const { name, peers, message, reason } = record;
  return {
    ...record,
    name: name.slice(0, 1024),
    peers: peers.slice(0, 64).map((peer) => peer.slice(0, 256)),
    message: message?.slice(0, 2048),
    reason: reason?.slice(0, 64),
  };
}

/**
 * All transfers that are known, the newest first. One whose process has ended without a word is written down as failed; files that
 * are damaged are left out, and removed when they are old.
 */
export async function readTransfers(folder: string, now = new Date()): Promise<TransferRecord[]> {
  const self = await describeSelf('reader');
  const names = (await ignoreMissing(readdir(folder))) ?? [];
  const records: TransferRecord[] = [];
  for (const name of names) {
    const id = name.replace(/\.json$/, '');
    if (!name.endsWith('.json') || !ID.test(id)) continue;
    const stored = await readRecord(folder, id);
    if (stored === undefined) await removeIfOld(join(folder, name), now);
    else records.push(shown(await settled(folder, stored, self, now)));
  }
  return records.sort((a, b) => b.startedAt.localeCompare(a.startedAt) || a.id.localeCompare(b.id));
}

/**
 * The transfers that run now.
 * @param over - ids of ended ones, which are not read again; those that are found are added
 */
export async function readRunning(folder: string, over: Set<string>, now = new Date()): Promise<StoredTransfer[]> {
  const self = await describeSelf('reader');
  const running: StoredTransfer[] = [];
  for (const name of (await ignoreMissing(readdir(folder))) ?? []) {
    const id = name.replace(/\.json$/, '');
    if (!name.endsWith('.json') || !ID.test(id) || over.has(id)) continue;
    const stored = await readRecord(folder, id);
    if (stored === undefined) continue;
    const latest = await settled(folder, stored, self, now);
    if (isOver(latest)) over.add(id);
    else running.push(latest);
  }
  return running;
}

export async function readRecord(folder: string, id: string): Promise<StoredTransfer | undefined> {
  try {
    const path = join(folder, `${id}.json`);
    if ((await stat(path)).size > MAX_RECORD_BYTES) return undefined;
    const { version: _, ...record } = recordSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return record.id === id ? record : undefined;
  } catch {
    return undefined;
  }
}

export function shown({ owner, ...record }: StoredTransfer): TransferRecord {
  return { ...record, pid: owner.pid, host: owner.host };
}

async function settled(folder: string, stored: StoredTransfer, self: LockOwner, now: Date): Promise<StoredTransfer> {
  if (isOver(stored)) return stored;
  const state = await ownerState(stored.owner, self);
  const isUnseen = state === 'unknown' && now.getTime() - Date.parse(stored.updatedAt) > UNSEEN_MS;
  if (state !== 'dead' && !isUnseen) return stored;
  // It may have ended the transfer just before it ended itself.
  const latest = (await readRecord(folder, stored.id)) ?? stored;
  if (isOver(latest)) return latest;
  const failed: StoredTransfer = {
    ...latest,
    ...{ state: 'failed', reason: PROCESS_ENDED, bytesPerSecond: 0, endedAt: now.toISOString() },
    message: 'Its process ended without a word. What has arrived is kept: run the same command again to resume.',
  };
  await writeRecord(folder, failed).catch(() => undefined);
  await removeAsks(folder, failed.id).catch(() => undefined);
  return failed;
}

async function removeIfOld(path: string, now: Date): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && now.getTime() - found.mtimeMs > ENDED_AGE_MS) await rm(path, { force: true });
}

/** Removes ended records beyond the most that are kept, the oldest first, and those that are too old. */
export async function tidyTransfers(folder: string, now = new Date()): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const isOldest = await mayHaveOld(folder, names, now);
  if (names.length <= MAX_ENDED + SLACK && !isOldest) return;
  const ended = (await readTransfers(folder, now)).filter(isOver);
  const gone = ended.filter(
    ({ endedAt }, i) => i >= MAX_ENDED || now.getTime() - Date.parse(endedAt ?? now.toISOString()) > ENDED_AGE_MS,
  );
  for (const { id } of gone) {
    await rm(join(folder, `${id}.json`), { force: true });
    await removeAsks(folder, id);
  }
  for (const name of names.filter((one) => one.endsWith('.tmp'))) await removeIfOld(join(folder, name), now);
}

/** Looks at one file only: the others are looked at by other transfers. */
async function mayHaveOld(folder: string, names: readonly string[], now: Date): Promise<boolean> {
  const name = names[Math.floor(Math.random() * names.length)];
  if (name === undefined) return false;
  const found = await stat(join(folder, name)).catch(() => undefined);
  return found !== undefined && now.getTime() - found.mtimeMs > ENDED_AGE_MS;
}

/**
 * The one transfer whose id begins so.
 * @throws ModelRtcError `not_found_locally`, `ambiguous`, `bad_argument`
 */
export async function findTransfer(folder: string, prefix: string): Promise<TransferRecord> {
  if (!/^[0-9a-f]{1,10}$/.test(prefix)) {
    throw new ModelRtcError(
      'bad_argument',
      `"${prefix}" is no id of a transfer. See them: model-rtc transfers list --all`,
    );
  }
  const found = (await readTransfers(folder)).filter(({ id }) => id.startsWith(prefix));
  const [first, second] = found;
  if (first === undefined) {
    throw new ModelRtcError(
      'not_found_locally',
      `No transfer "${prefix}" is known. See them: model-rtc transfers list --all`,
    );
  }
  if (second === undefined) return first;
  const candidates = found.map(({ id }) => id);
  const sentence = `"${prefix}" is the start of ${found.length} transfers: ${candidates.slice(0, 5).join(', ')}. Type more of the id.`;
  throw new ModelRtcError('ambiguous', sentence, { details: { candidates } });
}
