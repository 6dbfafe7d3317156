import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSelf, ignoreMissing, lockOwnerSchema, makeFolder, ownerState } from '@model-rtc/files';
import type { Digest, Log } from '@model-rtc/protocol';

/** A use is noted at most this often: how long models rest is counted in days. */
const NOTE_INTERVAL_MS = 60_000;
/** A reader on another machine that shares the folder touches its mark by this; later the mark counts as left behind. */
const UNSEEN_MS = 24 * 60 * 60 * 1000;
const READER = /^([0-9a-f]{64})\.[0-9a-f]{16}\.reader$/;

/**
 * When models were last used, and by which processes they are read now. Both are only hints of the disk's: a file for each model whose
 * time is that of its last use, and one for each reader. A disk that takes none of them keeps nobody from reading.
 */
export class Uses {
  readonly #folder: string;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #notedMs = new Map<Digest, number>();

  constructor(folder: string, { log, now }: { readonly log: Log; readonly now: () => Date }) {
    this.#folder = folder;
    this.#log = log;
    this.#now = now;
  }

  async note(digest: Digest): Promise<void> {
    const now = this.#now();
    const before = this.#notedMs.get(digest);
    if (before !== undefined && now.getTime() - before < NOTE_INTERVAL_MS) return;
    this.#notedMs.set(digest, now.getTime());
    await this.#try(async () => {
      const path = join(this.#folder, digest);
      await writeFile(path, '', { flag: 'a', mode: 0o600 });
      await utimes(path, now, now);
    });
  }

  async lastUsedMs(digest: Digest): Promise<number | undefined> {
    return await stat(join(this.#folder, digest)).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
  }

  /** Marks the model as read by this process. @returns how to end that */
  async hold(digest: Digest): Promise<() => Promise<void>> {
    const token = randomBytes(8).toString('hex');
    const path = join(this.#folder, `${digest}.${token}.reader`);
    await this.note(digest);
    await this.#try(async () => await writeFile(path, JSON.stringify(await describeSelf(token)), { mode: 0o600 }));
    return async () => {
      this.#notedMs.delete(digest);
      await this.note(digest);
      await rm(path, { force: true }).catch(() => undefined);
    };
  }

  /** The models that living processes read now. Marks of killed ones are removed. */
  async held(): Promise<ReadonlySet<Digest>> {
    const held = new Set<Digest>();
    const self = await describeSelf('looking');
    for (const name of (await ignoreMissing(readdir(this.#folder))) ?? []) {
      const digest = READER.exec(name)?.[1] as Digest | undefined;
      if (digest === undefined) continue;
      const path = join(this.#folder, name);
      const owner = await readFile(path, 'utf8').then(
        (text) => parsed(text),
        () => undefined,
      );
      const state = owner === undefined ? 'unknown' : await ownerState(owner, self);
      const isLeft = state === 'dead' || (state === 'unknown' && (await this.#isOld(path)));
      if (isLeft) await rm(path, { force: true }).catch(() => undefined);
      else held.add(digest);
    }
    return held;
  }

  async forget(digest: Digest): Promise<void> {
    this.#notedMs.delete(digest);
    await rm(join(this.#folder, digest), { force: true }).catch(() => undefined);
  }

  async #isOld(path: string): Promise<boolean> {
    const found = await stat(path).catch(() => undefined);
    return found === undefined || this.#now().getTime() - found.mtimeMs > UNSEEN_MS;
  }

  async #try(write: () => Promise<void>): Promise<void> {
    try {
      await write().catch(async () => {
        await makeFolder(this.#folder, 0o700);
        await write();
      });
    } catch (error) {
      this.#log.debug({ err: error }, 'the use of a model could not be noted');
    }
  }
}

function parsed(text: string) {
  try {
    return lockOwnerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
