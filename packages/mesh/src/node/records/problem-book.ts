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

/** What is wrong with nodes of a mesh, for every process of this machine. */
export class ProblemBook {
  readonly #options: ProblemBookOptions;

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
    log.warn({ member: key }, `${whose}${problem}`);
    const record = { bytes: Buffer.from(problem), heardAtMs: Date.now(), order: Date.now() };
    cache
      .putRecord(this.#name(key), record)
      .catch((error: unknown) => log.debug({ err: error }, 'a problem could not be kept'));
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
