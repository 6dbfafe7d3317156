import type { Clock, Digest } from '@model-rtc/protocol';
import { packHints, type ReliabilityHint } from '../../core/catalog/hints.ts';
import type { MeshModel, MeshProperty, MeshRole } from '../../types.ts';
import type { MeshView } from '../view.ts';

export interface OwnState {
  readonly name: string;
  readonly tags: readonly string[];
  readonly properties: Readonly<Record<string, MeshProperty>>;
  readonly urls: readonly string[];
  readonly models: readonly MeshModel[];
  /** Models that processes of this machine are fetching now. */
  readonly fetching: readonly Digest[];
  readonly bridgeUrl?: string | undefined;
  /** What came of asking other nodes. */
  readonly hints: readonly ReliabilityHint[];
}

export interface SelfAnnouncerOptions {
  readonly view: Pick<MeshView, 'announceSelf'>;
  readonly own: () => Promise<OwnState>;
  readonly role: MeshRole;
  /** Between two catalogs when nothing changes. */
  readonly gossipIntervalMs: number;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** The least time between two catalogs for what changes all the time, as load and free space. */
const PROPERTIES_MS = 60_000;

/** The shortest that a catalog can count. */
const ENDED_TTL_MS = 1_000;

/** Signs a new catalog of this machine when it is time: at once for what lasts, seldom for what changes all the time. */
export class SelfAnnouncer {
  readonly #options: SelfAnnouncerOptions;
  #announcedAtMs = Number.NEGATIVE_INFINITY;
  #said = '';
  #changing = '';

  constructor(options: SelfAnnouncerOptions) {
    this.#options = options;
  }

  /** @returns the names of the new records; undefined when nothing is due. @throws ModelRtcError `storage` */
  async announceIfDue(): Promise<readonly string[] | undefined> {
    const { own, role, clock, view } = this.#options;
    const state = await own();
    const nowMs = clock.nowMs();
    const lasting = JSON.stringify([
      state.name,
      state.tags,
      state.urls,
      state.bridgeUrl,
      state.models,
      state.fetching,
      Object.keys(state.properties),
    ]);
    const changing = JSON.stringify([state.properties, Buffer.from(packHints(state.hints)).toString('hex')]);
    if (!this.#isDue(lasting, changing, nowMs - this.#announcedAtMs)) return undefined;
    const names = await view.announceSelf({ ...state, role });
    this.#said = lasting;
    this.#changing = changing;
    this.#announcedAtMs = nowMs;
    return names;
  }

  /** This node is going: what it announces does not count from now on. @returns as `announceIfDue` */
  async announceEnd(): Promise<readonly string[] | undefined> {
    if (this.#said === '') return undefined;
    const { own, role, view } = this.#options;
    return await view.announceSelf({ ...(await own()), role }, ENDED_TTL_MS);
  }

  #isDue(lasting: string, changing: string, sinceMs: number): boolean {
    if (lasting !== this.#said || sinceMs >= this.#options.gossipIntervalMs) return true;
    return changing !== this.#changing && sinceMs >= PROPERTIES_MS;
  }
}
