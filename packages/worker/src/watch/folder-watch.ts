import { isInside } from '@model-rtc/files';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import type { FolderReport, FoundPlace, FoundPlaces, LeftOut, Registry, TakeOptions } from '@model-rtc/registry';
import { decide, pausedInMs, type Remembered, remember } from './decide.ts';
import { createFolderHints, type FolderHints } from './folder-hints.ts';
import { earlierVersion, GoneEntries, unreplacedEntries } from './gone-entries.ts';
import { type FoundOutcome, type ImportQueue, importFound } from './import-found.ts';
import { LeftOutList, leftOutBecause } from './left-out.ts';
import type { OnWatchEvent, RunStatus, WatchTiming } from './types.ts';
import { createWakeTimer, type WakeTimer } from './wake-timer.ts';

export interface FolderWatchOptions {
  readonly registry: Registry;
  readonly folder: string;
  /** All folders that are watched, without links: a link may lead from one into another. */
  readonly folders: readonly string[];
  readonly interruptedAfterMs: number;
  readonly timing: WatchTiming;
  readonly withoutLinks: TakeOptions['withoutLinks'];
  readonly imports: ImportQueue;
  readonly log: Log;
  readonly onEvent: OnWatchEvent;
  /** Called after a look that changed what is to be told of the folder. */
  readonly onReport: (report: FolderReport) => void;
  readonly now: () => number;
}

interface Tracked {
  place: FoundPlace;
  remembered: Remembered | undefined;
  /** When to look at it if no event comes before. */
  dueAtMs: number;
  isImporting: boolean;
  /** What is wrong with it, to be told once nobody seems to be writing it any more. */
  unsaid: LeftOut | undefined;
}

/** The share of time that full looks may take, so that a disk full of models is not read all day. */
const LOOKING_SHARE = 0.05;

/**
 * Keeps the registry in step with one folder: events say where to look at once, and occasional full looks find changes
 * without an event. Nothing is ever written in the folder.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #wakeTimer: WakeTimer;
  readonly #hints: FolderHints;
  readonly #tracked = new Map<string, Tracked>();
  readonly #gone: GoneEntries;
  #found: FoundPlaces | undefined;
  #allDueAtMs = 0;
  #earliestMs = 0;
  #isClosed = false;
  #complaint: string | undefined;
  readonly #leftOut: LeftOutList;
  readonly #startedMs: number;
  #hasToldOfStart = false;
  #reported = '';
  #running: Promise<void> | undefined;

  constructor(options: FolderWatchOptions) {
    const { registry, log, onEvent, now, timing } = options;
    this.#options = options;
    this.#leftOut = new LeftOutList(log);
    this.#startedMs = now();
    this.#wakeTimer = createWakeTimer(now);
    this.#hints = createFolderHints({ log, onHint: (folder) => this.#hint(folder) });
    this.#gone = new GoneEntries({ registry, log, onEvent, goneMs: timing.goneMs });
  }

  /** Resolves after the first full look; files may still be hashed then. */
  async start(): Promise<void> {
    const first = this.#look();
    this.#running = first.then(() => this.#goOn());
    await first;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#hints.close();
    this.#wakeTimer.wakeBy(0);
    await this.#running;
  }

  async #goOn(): Promise<void> {
    while (!this.#isClosed) {
      const dueMs = [...this.#tracked.values()].reduce((due, { dueAtMs }) => Math.min(due, dueAtMs), this.#allDueAtMs);
      await this.#wakeTimer.sleepUntil(Math.max(dueMs, this.#earliestMs));
      if (!this.#isClosed) await this.#look();
    }
  }

  #hint(folder: string): void {
    const { now, timing } = this.#options;
    const atMs = now() + timing.hintMs;
    const inside = [...this.#tracked.values()].find(({ place }) => isInside(folder, place.path));
    if (inside === undefined) this.#allDueAtMs = Math.min(this.#allDueAtMs, atMs);
    else inside.dueAtMs = Math.min(inside.dueAtMs, atMs);
    this.#wakeTimer.wakeBy(Math.max(atMs, this.#earliestMs));
  }

  async #look(): Promise<void> {
    const { now, timing, log, folder } = this.#options;
    const startMs = now();
    const isFull = this.#allDueAtMs <= startMs;
    try {
      if (isFull) await this.#lookForPlaces();
      for (const tracked of this.#tracked.values()) {
        if (this.#isClosed) return;
        if (isFull || tracked.dueAtMs <= startMs) await this.#lookAt(tracked);
      }
      if (isFull && this.#found !== undefined) await this.#forgetGone(this.#found);
      this.#complaint = undefined;
      this.#report();
    } catch (error) {
      const { message } = ModelRtcError.from(error);
      if (message !== this.#complaint) log.warn({ folder, error }, `cannot look through ${folder}: ${message}`);
      this.#complaint = message;
    }
    const tookMs = now() - startMs;
    this.#earliestMs = now() + timing.gapMs;
    if (isFull) {
      const nextMs = now() + Math.max(timing.pollMs, tookMs / LOOKING_SHARE);
      const againMs = this.#gone.isWaiting ? Math.min(nextMs, now() + timing.goneMs) : nextMs;
      this.#allDueAtMs = Math.min(this.#allDueAtMs, againMs);
    }
  }

  async #lookForPlaces(): Promise<void> {
    // Reset before the look: a change during it brings a hint, which sets the time again.
    this.#allDueAtMs = Number.POSITIVE_INFINITY;
    const found = await this.#options.registry.findPlaces(this.#options.folder);
    this.#found = found;
    this.#hints.listenIn(found.folders);
    this.#leftOut.noteSearch(found.leftOut);
    const here = new Map(found.places.map((place) => [place.path, place]));
    for (const [path, { isImporting }] of this.#tracked) {
      if (here.has(path) || isImporting) continue;
      this.#tracked.delete(path);
      this.#leftOut.clearPlace(path);
    }
    for (const place of found.places) this.#track(place);
  }

  #track(place: FoundPlace): void {
    const tracked = this.#tracked.get(place.path);
    if (tracked !== undefined) tracked.place = place;
    else {
      const dueAtMs = Number.POSITIVE_INFINITY;
      this.#tracked.set(place.path, {
        place,
        dueAtMs,
        remembered: undefined,
        isImporting: false,
        unsaid: undefined,
      });
    }
  }

  async #lookAt(tracked: Tracked): Promise<void> {
    const { registry, timing, interruptedAfterMs, now } = this.#options;
    // Changes during an import are looked at after it.
    tracked.dueAtMs = Number.POSITIVE_INFINITY;
    if (tracked.isImporting) return;
    const { place } = tracked;
    const state = await registry.lookAt(place);
    const nowMs = now();
    const before = tracked.remembered;
    tracked.remembered = remember(before, state, nowMs);
    if (tracked.remembered !== before) tracked.unsaid = undefined;
    const { path } = place;
    if (state.unreadable !== undefined)
      this.#leftOut.notePlace(path, { path, kind: 'unreadable', reason: state.unreadable });
    const decision = decide(place, state, tracked.remembered, { nowMs, timing, interruptedAfterMs });
    tracked.dueAtMs = nowMs + (decision.lookAgainInMs ?? Number.POSITIVE_INFINITY);
    this.#sayOncePaused(tracked, pausedInMs(state, tracked.remembered, { nowMs, timing }));
    if (decision.action === undefined) return;
    if (decision.action === 'take') this.#import(tracked);
    else await this.#record(tracked, decision.action);
  }

  /** A file that is still being copied is cut off only for now. */
  #sayOncePaused(tracked: Tracked, waitMs: number): void {
    if (tracked.unsaid === undefined) return;
    if (waitMs > 0) {
      tracked.dueAtMs = Math.min(tracked.dueAtMs, this.#options.now() + waitMs);
      return;
    }
    this.#leftOut.notePlace(tracked.place.path, tracked.unsaid);
    tracked.unsaid = undefined;
  }

  #import(tracked: Tracked): void {
    const { registry, imports, log, onEvent, withoutLinks } = this.#options;
    const found = this.#found;
    if (found === undefined) return;
    const { place, remembered } = tracked;
    tracked.isImporting = true;
    imports.add(async (signal) => {
      const inPlaceOf = await this.#earlierVersion(place);
      const outcome = await importFound({
        registry,
        log,
        onEvent,
        place,
        foundIn: found.root,
        linksWithin: this.#options.folders,
        inPlaceOf,
        withoutLinks,
        signal,
      });
      tracked.isImporting = false;
      if (!outcome.again) this.#done(tracked, 'take', remembered?.fingerprint);
      this.#noteOutcome(tracked, outcome);
    });
  }

  #noteOutcome(tracked: Tracked, { again, leftOut }: FoundOutcome): void {
    const { now, timing } = this.#options;
    const { path } = tracked.place;
    if (leftOut === undefined) this.#leftOut.clearPlace(path);
    else if (leftOut.kind === 'incomplete' || leftOut.kind === 'damaged') tracked.unsaid = leftOut;
    else this.#leftOut.notePlace(path, leftOut);
    // It may have changed while it was read; if it could not be read, try again later.
    tracked.dueAtMs = now() + (again ? timing.pollMs : timing.gapMs);
    this.#wakeTimer.wakeBy(tracked.dueAtMs);
  }

  async #earlierVersion(place: FoundPlace): Promise<string | undefined> {
    const found = this.#found;
    // Listing all entries for each of thousands of models would take long.
    if (found === undefined || place.group === undefined) return undefined;
    const entries = await this.#options.registry.listFound(found.root).catch(() => []);
    return earlierVersion(place, entries, found);
  }

  async #record(tracked: Tracked, status: RunStatus): Promise<void> {
    const { registry, log, onEvent } = this.#options;
    const { path } = tracked.place;
    try {
      const before = tracked.remembered?.done?.action;
      const entry = await registry.recordRun({ path, status, foundIn: this.#found?.root });
      this.#done(tracked, status, tracked.remembered?.fingerprint);
      tracked.unsaid = undefined;
      this.#leftOut.clearPlace(path);
      if (before !== status && entry.digest === undefined) {
        onEvent({ type: 'run', id: entry.id, alias: entry.alias, path, status });
      }
    } catch (error) {
      log.info({ path, error }, `the run at ${path} is not registered: ${ModelRtcError.from(error).message}`);
      // A configuration that is still being written cannot be read for a moment.
      tracked.unsaid = leftOutBecause(path, error);
      tracked.dueAtMs = Math.min(tracked.dueAtMs, this.#options.now() + this.#options.timing.pausedMs);
    }
  }

  /** Tells of the folder when something about it changed, and of all that was there at the start once. */
  #report(): void {
    const { folder, now, timing, onEvent, onReport } = this.#options;
    const places = [...this.#tracked.values()];
    const isLeftOut = ({ place, unsaid }: Tracked) => unsaid !== undefined || this.#leftOut.hasPlace(place.path);
    const models = places.filter((tracked) => tracked.remembered?.done !== undefined && !isLeftOut(tracked)).length;
    const leftOut = this.#leftOut.all;
    const news = JSON.stringify([models, leftOut]);
    if (news !== this.#reported) onReport({ folder, lookedAt: new Date(now()).toISOString(), models, leftOut });
    this.#reported = news;
    if (this.#hasToldOfStart) return;
    const open = places.filter(
      (tracked) =>
        tracked.unsaid !== undefined || (this.#isOpen(tracked) && !this.#leftOut.hasPlace(tracked.place.path)),
    ).length;
    if (open > 0 && now() - this.#startedMs < 2 * timing.pausedMs) return;
    this.#hasToldOfStart = true;
    onEvent({ type: 'looked', folder, models, leftOut: leftOut.length, open });
  }

  #isOpen({ isImporting, remembered, dueAtMs }: Tracked): boolean {
    return isImporting || (remembered?.done === undefined && Number.isFinite(dueAtMs));
  }

  #done(tracked: Tracked, action: 'take' | RunStatus, fingerprint: string | undefined): void {
    if (tracked.remembered === undefined) return;
    tracked.remembered = { ...tracked.remembered, done: { action, fingerprint, atMs: this.#options.now() } };
  }

  async #forgetGone(found: FoundPlaces): Promise<void> {
    const entries = await this.#options.registry.listFound(found.root);
    const isBusy = [...this.#tracked.values()].some(({ isImporting }) => isImporting);
    await this.#gone.look({ gone: unreplacedEntries(entries, found), found, isBusy, nowMs: this.#options.now() });
  }
}
