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
  readonly view: Pick<MeshView, 'announceSelf' | 'needsHead'>;
  readonly own: () => Promise<OwnState>;
  readonly role: MeshRole;
  /** Between two signs of life, and the least between two catalogs for what changes all the time, as load and free space. */
  readonly gossipIntervalMs: number;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** A number is announced again once it has moved by so much, and by that part of the larger one: every head goes to all nodes of the mesh. */
const MOVED_BY = 0.2;

/** What changes all the time. */
interface Changing {
  readonly numbers: Readonly<Record<string, number>>;
  readonly hints: string;
}

/** Signs a new catalog of this machine when it is time: at once for what lasts, seldom for what changes all the time. */
export class SelfAnnouncer {
  readonly #options: SelfAnnouncerOptions;
  #announcedAtMs = Number.NEGATIVE_INFINITY;
  #said = '';
  #numbers: Readonly<Record<string, number>> = {};
  #hints = '';

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
      Object.entries(state.properties).map(([name, value]) => [name, typeof value === 'number' || value]),
    ]);
    const numbers = numbersIn(state.properties);
    const hints = Buffer.from(packHints(state.hints)).toString('hex');
    if (!this.#isDue(lasting, { numbers, hints }, nowMs - this.#announcedAtMs)) return undefined;
    const names = await view.announceSelf({ ...state, role }, { beatEveryMs: this.#options.gossipIntervalMs });
    this.#said = lasting;
    this.#numbers = numbers;
    this.#hints = hints;
    this.#announcedAtMs = nowMs;
    return names;
  }

  /** This node is going: what it announces does not count from now on. @returns as `announceIfDue` */
  async announceEnd(): Promise<readonly string[] | undefined> {
    if (this.#said === '') return undefined;
    const { own, role, view } = this.#options;
    return await view.announceSelf({ ...(await own()), role }, 'goodbye');
  }

  #isDue(lasting: string, { numbers, hints }: Changing, sinceMs: number): boolean {
    const { view, gossipIntervalMs } = this.#options;
    if (lasting !== this.#said || view.needsHead) return true;
    if (sinceMs < gossipIntervalMs) return false;
    return (
      hints !== this.#hints ||
      Object.entries(numbers).some(([name, value]) => hasMoved(value, this.#numbers[name] ?? 0))
    );
  }
}

function numbersIn(properties: Readonly<Record<string, MeshProperty>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
  );
}

function hasMoved(now: number, before: number): boolean {
  return Math.abs(now - before) > MOVED_BY * Math.max(1, Math.abs(now), Math.abs(before));
}
