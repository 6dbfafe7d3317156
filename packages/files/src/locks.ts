import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ModelRtcError, parseJson } from '@model-rtc/protocol';
import { NO_HARD_LINKS } from './copy.ts';
import { describeSelf, type LockOwner, lockOwnerSchema, ownerState } from './lock-owner.ts';
import { atStorage, errorCode, isMissing, storageError } from './storage-error.ts';

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the holder: 0 means not at all, undefined means forever. */
  readonly waitMs?: number | undefined;
  /** Called once when someone else holds the lock. */
  readonly onWait?: ((owner: LockOwner | undefined) => void) | undefined;
}

export interface Lock extends AsyncDisposable {
  readonly path: string;
  /**
   * Releases the lock; a second call does nothing. If someone else has taken the lock over meanwhile, it stays theirs.
   */
  release(): Promise<void>;
}

/** A holder that cannot be seen from here shows this often that it is alive, ... */
const HEARTBEAT_MS = 10_000;
/** ... and counts as dead after this long without a sign. Several heartbeats, since a machine may be busy. */
const UNSEEN_STALE_MS = 60_000;
/** A lock file without an owner: its writer ended between creating and filling it. */
const UNREADABLE_STALE_MS = 10_000;
const FIRST_POLL_MS = 5;
const LONGEST_POLL_MS = 100;

/**
 * Takes an exclusive lock between processes: a file that only one process at a time can create, and that names its owner. A
 * lock whose owner has ended, even by kill -9, is broken at once. Not reentrant: takers within one process wait for each
 * other.
 * @param path the lock file; its folder must exist
 * @throws ModelRtcError `busy` naming the owner after `waitMs`, `cancelled` by the signal, `storage`
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const { signal, waitMs = Number.POSITIVE_INFINITY, onWait } = options;
  const self = await describeSelf(randomBytes(12).toString('hex'));
  const startedAt = performance.now();
  let told = false;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LONGEST_POLL_MS)) {
    if (signal?.aborted) throw cancelled(signal, path);
    if (await createLockFile(path, self)) return holdLock(path, self);
    const holder = await readHolder(path);
    if (holder === 'gone') continue;
    if (await breakIfDead(path, holder, self)) continue;
    if (performance.now() - startedAt >= waitMs) throw await busy(path, holder, self);
    if (!told) onWait?.(holder.owner);
    told = true;
    // Waiters that start together must not retry together forever.
    const leftMs = waitMs - (performance.now() - startedAt);
    await delay(Math.min(pollMs * (0.5 + Math.random()), Math.max(leftMs, 1)), undefined, { signal }).catch(() => {
      throw cancelled(signal, path);
    });
  }
}

/** Does the work while holding the lock. See `acquireLock`. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const lock = await acquireLock(path, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/**
 * Does the work while holding the lock, unless someone else holds it.
 * @returns whether the work was done
 */
export async function tryLock(path: string, work: () => Promise<void>): Promise<boolean> {
  let lock: Lock;
  try {
    lock = await acquireLock(path, { waitMs: 0 });
  } catch (thrown) {
    if (ModelRtcError.from(thrown).code === 'busy') return false;
    throw thrown;
  }
  try {
    await work();
    return true;
  } finally {
    await lock.release();
  }
}

/** Whether someone holds the lock now. */
export async function isLocked(path: string): Promise<boolean> {
  return !(await tryLock(path, async () => undefined));
}

/** Who holds the lock now; undefined when nobody does, or its owner has ended. Takes nothing. */
export async function lockHolder(path: string): Promise<LockOwner | undefined> {
  const holder = await readHolder(path);
  if (holder === 'gone' || holder.owner === undefined) return undefined;
  const self = await describeSelf(randomBytes(12).toString('hex'));
  return (await isDead(path, holder, self)) ? undefined : holder.owner;
}

/** What a process writes before it links it to the lock's name. */
const TAKER_FILE = /\.lock\.[0-9a-f]{24}\.tmp$/;

/** Removes what processes killed while taking a lock left in a folder. Files of living processes stay. */
export async function removeLeftTakerFiles(folder: string): Promise<void> {
  const names = await atStorage(folder, 'read', async () => await readdir(folder));
  const left = names.filter((name) => TAKER_FILE.test(name));
  if (left.length === 0) return;
  const self = await describeSelf(randomBytes(12).toString('hex'));
  for (const name of left) {
    const path = join(folder, name);
    const holder = await readHolder(path);
    if (holder !== 'gone' && (await isDead(path, holder, self))) await rm(path, { force: true });
  }
}

/** The lock file as found: who holds it, and when it was last written. */
interface Holder {
  readonly owner: LockOwner | undefined;
  readonly writtenMs: number;
}

async function createLockFile(path: string, self: LockOwner): Promise<boolean> {
  const temporary = `${path}.${self.token}.tmp`;
  try {
    await writeFile(temporary, JSON.stringify(self));
    // A link appears with its content, so nobody ever reads a lock without its owner.
    await link(temporary, path);
    return true;
  } catch (thrown) {
    const code = errorCode(thrown);
    if (code === 'EEXIST') return false;
    if (code !== undefined && NO_HARD_LINKS.has(code)) return await createWithoutLink(path, self);
    throw storageError(thrown, path, 'created');
  } finally {
    await rm(temporary, { force: true });
  }
}

async function createWithoutLink(path: string, self: LockOwner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(self), { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (errorCode(thrown) === 'EEXIST') return false;
    throw storageError(thrown, path, 'created');
  }
}

function holdLock(path: string, self: LockOwner): Lock {
  const heartbeat = setInterval(() => {
    touch(path, self).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    clearInterval(heartbeat);
    released ??= removeIfOwned(path, self);
    return released;
  };
  return { path, release, [Symbol.asyncDispose]: release };
}

/** Writes the same bytes again, so that the file's time is the file system's own and not this machine's clock. */
async function touch(path: string, self: LockOwner): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const text = await file.readFile('utf8');
    if (parseOwner(text)?.token === self.token) await file.write(text, 0);
  } finally {
    await file.close();
  }
}

async function removeIfOwned(path: string, self: LockOwner): Promise<void> {
  const holder = await readHolder(path);
  if (holder === 'gone' || holder.owner?.token !== self.token) return;
  await unlink(path).catch((thrown: unknown) => {
    if (!isMissing(thrown)) throw storageError(thrown, path, 'removed');
  });
}

async function readHolder(path: string): Promise<Holder | 'gone'> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { owner: parseOwner(text), writtenMs: mtimeMs };
  } catch (thrown) {
    if (isMissing(thrown)) return 'gone';
    throw storageError(thrown, path, 'read');
  }
}

function parseOwner(text: string): LockOwner | undefined {
  return lockOwnerSchema.safeParse(parseJson(text)).data;
}

async function breakIfDead(path: string, holder: Holder, self: LockOwner): Promise<boolean> {
  if (!(await isDead(path, holder, self))) return false;
  const { default: lockfile } = await import('proper-lockfile');
  let releaseGuard: () => Promise<void>;
  try {
    releaseGuard = await lockfile.lock(path, { lockfilePath: `${path}.breaking`, realpath: false });
  } catch (thrown) {
    if (errorCode(thrown) === 'ELOCKED') return false;
    throw storageError(thrown, path, 'taken over');
  }
  try {
    // Someone else may have broken the lock first, so that the file is the fresh lock of a living owner.
    const now = await readHolder(path);
    if (now === 'gone') return true;
    if (now.owner?.token !== holder.owner?.token || now.writtenMs !== holder.writtenMs) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await releaseGuard().catch(() => undefined);
  }
}

async function isDead(path: string, holder: Holder, self: LockOwner): Promise<boolean> {
  if (holder.owner === undefined) return (await ageMs(path, holder, self)) > UNREADABLE_STALE_MS;
  const state = await ownerState(holder.owner, self);
  if (state !== 'unknown') return state === 'dead';
  return (await ageMs(path, holder, self)) > UNSEEN_STALE_MS;
}

/** How old the lock file is by the clock of its own file system, which may be another machine's. */
async function ageMs(path: string, holder: Holder, self: LockOwner): Promise<number> {
  const probe = `${path}.${self.token}.tmp`;
  try {
    await writeFile(probe, '');
    return (await stat(probe)).mtimeMs - holder.writtenMs;
  } finally {
    await rm(probe, { force: true });
  }
}

async function busy(path: string, { owner }: Holder, self: LockOwner): Promise<ModelRtcError> {
  const isUnseen = owner === undefined || (await ownerState(owner, self)) === 'unknown';
  const held = `${path} is held by ${holderText(owner)}`;
  const advice = 'Wait until it has finished, or end it, and try again.';
  return new ModelRtcError('busy', `${held}. ${advice}${isUnseen ? ` ${FREES_ITSELF}` : ''}`, {
    details: { path, pid: owner?.pid, host: owner?.host, takenAt: owner?.takenAt, isUnseen },
  });
}

/** What to know of a lock whose owner cannot be seen from this machine. */
export const FREES_ITSELF = `If it has ended without a word, its lock frees itself within ${UNSEEN_STALE_MS / 1000} s.`;

/** Who holds a lock, and since when: `process 4711 on gpu1, since 2026-11-21T09:30:00.000Z`. */
export function holderText(owner: Pick<LockOwner, 'pid' | 'host' | 'takenAt'> | undefined): string {
  if (owner === undefined) return 'an unknown process';
  const since = owner.takenAt === undefined ? '' : `, since ${owner.takenAt}`;
  return `process ${owner.pid} on ${owner.host}${since}`;
}

function cancelled(signal: AbortSignal | undefined, path: string): ModelRtcError {
  return new ModelRtcError('cancelled', `Cancelled while waiting for ${path}.`, { cause: signal?.reason });
}
