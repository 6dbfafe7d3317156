import type { Log } from '@model-rtc/protocol';
import type { MeshFile } from '../state/mesh-folders.ts';
import type { RecordCache } from '../state/record-cache.ts';

export interface ProblemBookOptions {
  readonly cache: RecordCache;
  readonly log: Log;
  readonly mesh: Pick<MeshFile, 'id' | 'name'>;
  /** This machine's key. */
  readonly ownKey: string;
}

/** One warning about a node, and so many about all, in this time. */
const WARN_AGAIN_MS = 10 * 60_000;
const MAX_WARNINGS = 20;

/** What is wrong with nodes of a mesh, for every process of this machine. */
export class ProblemBook {
  readonly #options: ProblemBookOptions;
  readonly #warnedAtMs = new Map<string, number>();

  constructor(options: ProblemBookOptions) {
    this.#options = options;
  }

  of(key: string): string | undefined {
    const [found] = this.#options.cache.records(this.#name(key)).values();
    return found === undefined ? undefined : Buffer.from(found.bytes).toString('utf8');
  }

  /** @param problem - a sentence */
  note(key: string, problem: string): void {
    const { cache, log, mesh, ownKey } = this.#options;
    if (this.of(key) === problem) return;
    const whose = key === ownKey ? '' : `A node of the mesh ${mesh.name} has a problem (${key.slice(0, 8)}): `;
    const words = `${whose}${problem}`;
    if (this.#mayWarn(key)) log.warn({ member: key }, words);
    else log.debug({ member: key }, words);
    const record = { bytes: Buffer.from(problem), heardAtMs: Date.now(), order: Date.now() };
    cache
      .putRecord(this.#name(key), record)
      .catch((error: unknown) => log.debug({ err: error }, 'a problem could not be kept'));
  }

  /** A node that is right and wrong by turns must not fill the log. */
  #mayWarn(key: string): boolean {
    const nowMs = Date.now();
    for (const [one, atMs] of this.#warnedAtMs)
      if (Math.abs(nowMs - atMs) >= WARN_AGAIN_MS) this.#warnedAtMs.delete(one);
    if (this.#warnedAtMs.has(key) || this.#warnedAtMs.size >= MAX_WARNINGS) return false;
    this.#warnedAtMs.set(key, nowMs);
    return true;
  }

  clear(key: string): void {
    const { cache, log } = this.#options;
    if (this.of(key) === undefined) return;
    cache
      .removeRecord(this.#name(key))
      .catch((error: unknown) => log.debug({ err: error }, 'a problem could not be removed'));
  }

  #name(key: string): string {
    return `problem/${this.#options.mesh.id.slice(0, 16)}/${key}`;
  }
}
