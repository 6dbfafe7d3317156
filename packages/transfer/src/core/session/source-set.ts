import { type Clock, type Log, ModelRtcError } from '@model-rtc/protocol';
import { chunkCount, type Layout } from '../layout/layout.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { LocalSource } from '../sources/local-chunks.ts';
import type { ChunkSource, HoldingsNews } from '../sources/source.ts';
import type { PoolChange, SourcePool } from '../sources/source-pool.ts';

import { noSourceLeft } from './end-errors.ts';
import { OriginFlow } from './origin-flow.ts';
import type { RangeRules } from './range-rules.ts';
import type { SourceRunner } from './source-runner.ts';
import type { TransferStats } from './stats.ts';

export interface SourceSetParts {
  readonly layout: Layout;
  readonly schedule: Schedule;
  readonly rules: RangeRules | undefined;
  readonly stats: TransferStats;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the runner of a source. */
type RunSource = (source: ChunkSource, number: number, flow: OriginFlow) => SourceRunner;

/** The sources of one session: those in the pool now, and those on this machine. */
export class SourceSet {
  readonly #parts: SourceSetParts;
  readonly #pool: SourcePool;
  readonly #run: RunSource;
  /** By their numbers in the schedule. */
  readonly #runners = new Map<number, SourceRunner>();
  /** Those of the pool, which can give any chunk. */
  readonly #general = new Map<ChunkSource, SourceRunner>();
  /** By source: stops following which chunks it has. */
  readonly #followed = new Map<ChunkSource, () => void>();
  /** Origins that are not used any more. */
  readonly #banned = new Set<string>();
  /** Of all that ever could give chunks without digests, by origin. */
  readonly #names = new Map<string, string>();
  /** By origin. */
  readonly #flows = new Map<string, OriginFlow>();
  /** Warnings that were given. */
  readonly #warned = new Set<string>();
  #lastError: ModelRtcError | undefined;
  #turn = 0;

  /** @param run - makes the runner of a source */
  constructor(parts: SourceSetParts, pool: SourcePool, run: RunSource) {
    this.#parts = parts;
    this.#pool = pool;
    this.#run = run;
  }

  /** The error of the last source that went. */
  get lastError(): ModelRtcError | undefined {
    return this.#lastError;
  }

  /** Why nothing more can come from the pool; undefined while something can. */
  get exhausted(): ModelRtcError | undefined {
    if (this.#general.size > 0 || !this.#pool.ended) return undefined;
    return this.#pool.error ?? noSourceLeft(this.#lastError);
  }

  /** All that ever came, from any source. */
  get receivedBytes(): number {
    return [...this.#flows.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What people call the sources of the pool that say that they do not have what is missing. */
  emptyNames(): string[] {
    const empty = [...this.#general.values()].filter(({ isEmpty }) => isEmpty);
    return [...new Set(empty.map(({ source }) => source.name))];
  }

  start(local: readonly LocalSource[]): void {
    const { schedule } = this.#parts;
    for (const { source, chunks } of local) this.#add(source, schedule.addSource(source.name, chunks));
    for (const source of this.#pool.sources) this.#join(source);
  }

  follow(change: PoolChange): void {
    if (change.type === 'added') this.#join(change.source);
    if (change.type !== 'removed') return;
    const { source, error } = change;
    const runner = this.#general.get(source);
    if (runner === undefined) return;
    this.#forget([runner], error ?? new ModelRtcError('network', `The connection to ${source.name} was closed.`));
  }

  /** The runner with this number, while it is in use. */
  get(number: number): SourceRunner | undefined {
    return this.#runners.get(number);
  }

  isGeneral(runner: SourceRunner): boolean {
    return this.#general.get(runner.source) === runner;
  }

  /** All sources, starting with a different one each time. */
  inTurn(): SourceRunner[] {
    const all = [...this.#runners.values()];
    const first = all.length === 0 ? 0 : this.#turn++ % all.length;
    return [...all.slice(first), ...all.slice(0, first)];
  }

  checkStalls(): void {
    for (const runner of [...this.#runners.values()]) runner.checkStall();
  }

  /** The source cannot go on. */
  drop(runner: SourceRunner, error: ModelRtcError): void {
    const { stats } = this.#parts;
    const { name } = runner.source;
    this.#warn(name, error);
    // A lost connection, or an end on purpose, is not the source's fault.
    if (this.isGeneral(runner) && !error.recoversBy('reconnect', 'stopped')) stats.drop(name, error.message);
    this.#forget([runner], error);
  }

  /** Once for each name and reason: each lane of an origin is a source, and many end for the same reason. */
  #warn(name: string, { code, message }: ModelRtcError): void {
    const reason = `${code} ${name}`;
    if (this.#warned.has(reason)) return;
    this.#warned.add(reason);
    this.#parts.log.warn({ source: name, code }, `${name} is no longer used: ${message}`);
  }

  /** Stops using the source's origin, over all its lanes. */
  ban(source: Pick<ChunkSource, 'name' | 'origin'>, error: ModelRtcError): void {
    const { stats } = this.#parts;
    const origin = originOf(source);
    this.#warn(source.name, error);
    stats.drop(source.name, error.message);
    this.#banned.add(origin);
    this.#forget(
      [...this.#general.values()].filter((runner) => originOf(runner.source) === origin),
      error,
    );
  }

  /** Who could give chunks without digests now. */
  rangeOrigins(): Set<string> {
    const able = [...this.#general.values()].filter(({ number }) => this.#parts.rules?.givesRanges(number));
    return new Set(able.map(({ source }) => originOf(source)));
  }

  /** What people call an origin; without one, all that give ranges. */
  namesOf(origin: string | undefined): string {
    const all = [...this.#names].filter(([known]) => origin === undefined || known === origin);
    return all.map(([, name]) => name).join(', ');
  }

  /** The source does not have what it alone was to give: others are asked, if there are any. */
  passOver({ source }: SourceRunner): void {
    const others = this.rangeOrigins();
    others.delete(originOf(source));
    if (others.size > 0) this.#parts.rules?.gone(originOf(source), others);
  }

  stop(): void {
    const over = new ModelRtcError('cancelled', 'The transfer is over.');
    for (const runner of this.#runners.values()) runner.stop(over);
    for (const source of [...this.#followed.keys()]) this.#unfollow(source);
  }

  #join(source: ChunkSource): void {
    const { schedule, rules, stats, clock, log } = this.#parts;
    if (this.#banned.has(originOf(source))) {
      log.warn({ source: source.name }, `${source.name} is not used, since it was given up before`);
      return;
    }
    const number = schedule.addSource(originOf(source));
    if (source.needsDigests) rules?.needsDigests(number);
    else this.#names.set(originOf(source), source.name);
    const runner = this.#add(source, number);
    this.#general.set(source, runner);
    stats.joined(source, clock.nowMs());
    this.#follow(source, runner);
  }

  /** Keeps the schedule informed of what the source has while it is still fetching the model itself. */
  #follow({ holdings }: ChunkSource, runner: SourceRunner): void {
    const { layout, schedule } = this.#parts;
    const { number, source } = runner;
    const idOf = (place: number): number => layout.idAt[place] ?? 0;
    const onNews = (news: HoldingsNews): void => {
      if (news.type === 'whole') schedule.holds(number, undefined);
      if (news.type === 'more') schedule.gained(number, news.places.map(idOf));
      if (news.type === 'partial') {
        const has = new Uint8Array(chunkCount(layout));
        for (const [place, there] of news.has.entries()) if (there === 1) has[idOf(place)] = 1;
        schedule.holds(number, has);
      }
      runner.fill();
    };
    const stop = holdings?.follow(layout.listHash, layout.idAt.length, onNews);
    if (stop !== undefined) this.#followed.set(source, stop);
  }

  #unfollow(source: ChunkSource): void {
    this.#followed.get(source)?.();
    this.#followed.delete(source);
  }

  #add(source: ChunkSource, number: number): SourceRunner {
    const runner = this.#run(source, number, this.#flowOf(originOf(source)));
    this.#runners.set(number, runner);
    return runner;
  }

  #flowOf(origin: string): OriginFlow {
    const lanes = (): SourceRunner[] => [...this.#runners.values()].filter(({ source }) => originOf(source) === origin);
    const flow = this.#flows.get(origin) ?? new OriginFlow(() => lanes().filter(({ owes }) => owes).length);
    this.#flows.set(origin, flow);
    return flow;
  }

  #forget(runners: readonly SourceRunner[], error: ModelRtcError): void {
    const general = runners.filter((runner) => this.isGeneral(runner));
    for (const runner of runners) {
      runner.stop(error);
      this.#parts.schedule.drop(runner.number);
      this.#runners.delete(runner.number);
    }
    if (general.length === 0) return;
    this.#lastError = error;
    for (const { source } of general) {
      this.#general.delete(source);
      this.#unfollow(source);
      this.#parts.stats.left(source);
    }
    this.#tellGone(general);
    // Last, since listeners may act at once.
    for (const { source } of general) this.#pool.remove(source, error);
  }

  #tellGone(runners: readonly SourceRunner[]): void {
    const { rules } = this.#parts;
    if (rules === undefined) return;
    const left = this.rangeOrigins();
    for (const { source } of runners) if (!left.has(originOf(source))) rules.gone(originOf(source), left);
  }
}

/** Who is behind a source. */
export function originOf({ name, origin = name }: Pick<ChunkSource, 'name' | 'origin'>): string {
  return origin;
}
