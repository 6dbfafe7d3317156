import type { Beat } from '../../core/beats/beat.ts';
import type { CatalogBook } from '../../core/catalog/catalog-book.ts';
import type { TakenBeats } from '../../core/gossip/types.ts';
import type { CachedBeat, RecordCache } from '../state/record-cache.ts';
import { catalogName } from './record-names.ts';

export interface BeatKeeperOptions {
  readonly catalogs: Pick<CatalogBook, 'beats' | 'takeBeat'>;
  readonly cache: RecordCache;
  /** Of this mesh's names in the cache. */
  readonly prefix: string;
  /** The member whose key begins with these 16 characters: its first head may not be here yet. */
  readonly memberOf: (hint: string) => string | undefined;
  /** Two machines announce with this key. */
  readonly onDoubled: (key: string) => void;
}

/** Beats that are checked before anything else has its turn: those of a node that was away for hours take 0.1 ms each. */
const AT_ONCE = 256;
/** Hashes for wrong beats after which the rest of a message is not looked at. */
const MAX_WRONG_STEPS = 10_000;

/** Takes beats into the catalogs of a mesh, and keeps the newest of each node in the cache. */
export class BeatKeeper {
  readonly #options: BeatKeeperOptions;
  readonly #unsaved = new Map<string, string>();
  #version = -1;

  constructor(options: BeatKeeperOptions) {
    this.#options = options;
  }

  async take(beats: readonly Beat[]): Promise<TakenBeats> {
    const taken = { news: [] as Beat[], early: [] as Beat[], want: new Set<string>(), wrongSteps: 0 };
    for (const [i, beat] of beats.entries()) {
      if (i % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
      if (taken.wrongSteps > MAX_WRONG_STEPS) break;
      const outcome = this.#options.catalogs.takeBeat(beat);
      if (outcome.kind === 'ignored') continue;
      if (outcome.kind === 'news') this.#unsaved.set(outcome.key, beat.hint);
      if (outcome.kind === 'doubled') this.#options.onDoubled(outcome.key);
      if (outcome.kind === 'early') taken.early.push(beat);
      if (outcome.kind === 'news' || outcome.kind === 'doubled') taken.news.push(beat);
      if (outcome.kind === 'wrong') taken.wrongSteps += outcome.steps;
      // Its head tells whether the beat is wrong, or belongs to another head of the same number.
      if (outcome.kind !== 'wrong' && outcome.kind !== 'early') continue;
      const key = outcome.key ?? this.#options.memberOf(beat.hint);
      if (key !== undefined) taken.want.add(catalogName(key));
    }
    return { ...taken, want: [...taken.want] };
  }

  /** Writes what came since the last time, so that who was there is known after a start. @throws ModelRtcError `storage` */
  async save(): Promise<void> {
    if (this.#unsaved.size === 0) return;
    const { catalogs, cache, prefix } = this.#options;
    const beats = new Map<string, CachedBeat>();
    for (const [key, hint] of this.#unsaved) {
      const beat = catalogs.beats.beatOf(hint);
      if (beat !== undefined) beats.set(`${prefix}${key}`, beat);
    }
    this.#unsaved.clear();
    const isCurrent = cache.beatsVersion() === this.#version;
    await cache.putBeats(beats);
    // Its own change needs no second look, as long as nobody else changed something meanwhile.
    if (isCurrent) this.#version = Math.min(cache.beatsVersion(), this.#version + 1);
  }

  /** Takes what is kept, by whichever process of this machine. It is checked like all others. */
  load(): void {
    const { catalogs, cache, prefix } = this.#options;
    const version = cache.beatsVersion();
    if (version === this.#version) return;
    this.#version = version;
    for (const [name, { sequence, index, value }] of cache.beats(prefix)) {
      const hint = name.slice(prefix.length, prefix.length + 16);
      catalogs.takeBeat({ hint, sequence, index, value: new Uint8Array(value) });
    }
  }
}
