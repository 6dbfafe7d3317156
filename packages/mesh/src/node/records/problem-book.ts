import type { Log, ModelRtcError } from '@model-rtc/protocol';
import type { MeshFile } from '../state/mesh-folders.ts';
import type { RecordCache } from '../state/record-cache.ts';

export interface ProblemBookOptions {
  readonly cache: RecordCache;
  readonly log: Log;
  readonly mesh: Pick<MeshFile, 'id' | 'name'>;
  /** This machine's key. */
  readonly ownKey: string;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
}

/** How exactly it is kept when a problem was seen last. */
const NOTED_AGAIN_MS = 30_000;
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
    return this.find(key)?.problem;
  }

  /** What is wrong, and when that was seen last. */
  find(key: string): { readonly problem: string; readonly atMs: number } | undefined {
    const [found] = this.#options.cache.records(this.#name(key)).values();
    if (found === undefined) return undefined;
    return { problem: Buffer.from(found.bytes).toString('utf8'), atMs: found.heardAtMs };
  }

  /** @param problem - a sentence */
  note(key: string, problem: string): void {
    const { cache, log, mesh, ownKey } = this.#options;
    const before = this.find(key);
    const nowMs = this.#options.wallMs();
    if (before?.problem === problem && Math.abs(nowMs - before.atMs) < NOTED_AGAIN_MS) return;
    const whose = key === ownKey ? '' : `A node of the mesh ${mesh.name} has a problem (${key.slice(0, 8)}): `;
    const words = `${whose}${problem}`;
    if (before?.problem !== problem && this.#mayWarn(key)) log.warn({ member: key }, words);
    else log.debug({ member: key }, words);
    const record = { bytes: Buffer.from(problem), heardAtMs: nowMs, order: 0 };
    cache
      .putRecord(this.#name(key), record)
      .catch((error: unknown) => log.debug({ err: error }, 'a problem could not be kept'));
  }

  /** A record was refused. Whoever signed what breaks a rule is named, and not the one that passed it on. */
  refused(error: ModelRtcError, fromKey: string): void {
    const { problem, culprit } = error.details ?? {};
    if (typeof problem === 'string' && typeof culprit === 'string')
      this.note(culprit, `${problem[0]?.toUpperCase()}${problem.slice(1)}.`);
    this.#options.log.debug({ err: error, member: fromKey }, 'a record of a member was refused');
  }

  /** A node that is right and wrong by turns must not fill the log. */
  #mayWarn(key: string): boolean {
    const nowMs = this.#options.wallMs();
    for (const [one, atMs] of this.#warnedAtMs)
      if (Math.abs(nowMs - atMs) >= WARN_AGAIN_MS) this.#warnedAtMs.delete(one);
    if (this.#warnedAtMs.has(key) || this.#warnedAtMs.size >= MAX_WARNINGS) return false;
    this.#warnedAtMs.set(key, nowMs);
    return true;
  }

  /** It never rejects. */
  async clear(key: string): Promise<void> {
    const { cache, log } = this.#options;
    if (this.of(key) === undefined) return;
    await cache
      .removeRecord(this.#name(key))
      .catch((error: unknown) => log.debug({ err: error }, 'a problem could not be removed'));
  }

  #name(key: string): string {
    return `problem/${this.#options.mesh.id.slice(0, 16)}/${key}`;
  }
}
