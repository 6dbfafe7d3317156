import { join } from 'node:path';
import { exists, readJson, writeFileAtomic } from '@model-rtc/files';
import { type Digest, digestSchema, formatBytes, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { discardStaging } from '@model-rtc/transfer';
import * as z from 'zod';
import { MAX_STAGED_BYTES_PER_TOKEN } from '../limits.ts';

/** A push that is not done: which token's it is, and the bytes of its model. */
export interface StagedPush {
  readonly keyId: string;
  readonly digest: Digest;
  readonly bytes: number;
}

const fileSchema = z.object({
  version: z.literal(1),
  /** Oldest first. */
  pushes: z.array(z.object({ keyId: z.string().max(64), digest: digestSchema, bytes: z.number().int().min(0) })),
});

interface StagedPushesOptions {
  readonly paths: Pick<Registry['paths'], 'staging' | 'pushesFile'>;
  readonly log: Log;
  readonly maxBytes?: number | undefined;
}

/**
 * Bounds what the pushes of one token keep on the disk before they are done, those that were broken off included. What is staged
 * outlives this process, and so does the note of whose it is.
 */
export class StagedPushes {
  readonly #options: StagedPushesOptions;
  readonly #open = new Set<Digest>();
  #pushes: readonly StagedPush[] | undefined;
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: StagedPushesOptions) {
    this.#options = options;
  }

  /**
   * Receives one push. Where the token has too much staged, its oldest pushes that were broken off go first.
   * @throws ModelRtcError `busy` when it is too much with its open pushes; what `receive` throws
   */
  async run<T>(push: StagedPush, receive: () => Promise<T>): Promise<T> {
    await this.#inTurn(() => this.#begin(push));
    try {
      return await receive();
    } finally {
      this.#open.delete(push.digest);
      await this.#inTurn(async () => this.#save(await this.#staged()));
    }
  }

  async #begin(push: StagedPush): Promise<void> {
    const others = (await this.#staged()).filter(({ digest }) => digest !== push.digest);
    let own = others.filter(({ keyId }) => keyId === push.keyId);
    const tooMuch = (): boolean => own.length > 0 && bytesOf(own) + push.bytes > this.#maxBytes;
    for (const old of own.filter(({ digest }) => !this.#open.has(digest))) {
      if (!tooMuch()) break;
      if (await this.#discard(old)) own = own.filter((kept) => kept !== old);
    }
    if (tooMuch()) throw tooMuchError(bytesOf(own), this.#maxBytes);
    this.#open.add(push.digest);
    await this.#save([...others.filter(({ keyId }) => keyId !== push.keyId), ...own, push]);
  }

  /** @returns false for a model that this machine is fetching now by itself */
  async #discard({ digest, keyId }: StagedPush): Promise<boolean> {
    const { paths, log } = this.#options;
    try {
      await discardStaging({ staging: paths.staging, key: digest, waitMs: 0 });
    } catch (error) {
      if (ModelRtcError.from(error).code === 'busy') return false;
      throw error;
    }
    log.info({ digest, keyId }, 'a push that was broken off made room for another');
    return true;
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? MAX_STAGED_BYTES_PER_TOKEN;
  }

  /** Those that are open, or have left something. */
  async #staged(): Promise<StagedPush[]> {
    this.#pushes ??= await readPushes(this.#options.paths.pushesFile);
    const staged: StagedPush[] = [];
    for (const push of this.#pushes) {
      const isStaged = this.#open.has(push.digest) || (await exists(join(this.#options.paths.staging, push.digest)));
      if (isStaged) staged.push(push);
    }
    return staged;
  }

  /** What cannot be written, on a full disk, is remembered while this process runs. */
  async #save(pushes: readonly StagedPush[]): Promise<void> {
    this.#pushes = pushes;
    const { paths, log } = this.#options;
    await writeFileAtomic(paths.pushesFile, JSON.stringify({ version: 1, pushes }), { mode: 0o600 }).catch(
      (error: unknown) => log.debug({ err: error }, 'the list of staged pushes could not be written'),
    );
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    await done;
  }
}

/** A damaged list is as good as none: it only says whose the parts in staging are. */
async function readPushes(path: string): Promise<readonly StagedPush[]> {
  return fileSchema.safeParse(await readJson(path)).data?.pushes ?? [];
}

function bytesOf(pushes: readonly StagedPush[]): number {
  return pushes.reduce((sum, { bytes }) => sum + bytes, 0);
}

function tooMuchError(staged: number, most: number): ModelRtcError {
  return new ModelRtcError(
    'busy',
    `The worker is receiving ${formatBytes(staged)} from this session already, and takes ${formatBytes(most)} at once. Try again when a push is done.`,
  );
}
