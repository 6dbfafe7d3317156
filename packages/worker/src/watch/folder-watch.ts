import { isInside } from '@model-rtc/files';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import type { FoundPlace, FoundPlaces, Registry } from '@model-rtc/registry';
import { decide, type Remembered, remember } from './decide.ts';
import { createFolderHints, type FolderHints } from './folder-hints.ts';
import { earlierVersion, GoneEntries, unreplacedEntries } from './gone-entries.ts';
import { type ImportQueue, importFound } from './import-found.ts';
import type { OnWatchEvent, RunStatus, WatchTiming } from './types.ts';
import { createWakeTimer, type WakeTimer } from './wake-timer.ts';

export interface FolderWatchOptions {
  readonly registry: Registry;
  readonly folder: string;
  readonly interruptedAfterMs: number;
  readonly timing: WatchTiming;
  readonly imports: ImportQueue;
  readonly log: Log;
  readonly onEvent: OnWatchEvent;
  readonly now: () => number;
}

interface Tracked {
  place: FoundPlace;
  remembered: Remembered | undefined;
  /** When to look at it if no event comes before. */
  dueAtMs: number;
  isImporting: boolean;
  /** The last problem with it, so that the log does not repeat it. */
  complaint: string | undefined;
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
  readonly #outside = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(options: FolderWatchOptions) {
    const { registry, log, onEvent, now, timing } = options;
    this.#options = options;
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
    this.#sayOutside(found.outside);
    const here = new Map(found.places.map((place) => [place.path, place]));
    for (const [path, { isImporting }] of this.#tracked)
      if (!here.has(path) && !isImporting) this.#tracked.delete(path);
    for (const place of found.places) this.#track(place);
  }

  #sayOutside(links: readonly string[]): void {
    const { log, folder } = this.#options;
    for (const link of links) {
      if (this.#outside.has(link)) continue;
      this.#outside.add(link);
      log.warn(
        { link },
        `${link} leads out of ${folder} and is not followed: watch the folder that it leads to as well`,
      );
    }
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
        complaint: undefined,
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
    tracked.remembered = remember(tracked.remembered, state, nowMs);
    const decision = decide(place, state, tracked.remembered, { nowMs, timing, interruptedAfterMs });
    tracked.dueAtMs = nowMs + (decision.lookAgainInMs ?? Number.POSITIVE_INFINITY);
    if (decision.action === undefined) return;
    if (decision.action === 'take') this.#import(tracked);
    else await this.#record(tracked, decision.action);
  }

  #import(tracked: Tracked): void {
    const { registry, imports, log, onEvent, now, timing } = this.#options;
    const found = this.#found;
    if (found === undefined) return;
    const { place, remembered } = tracked;
    tracked.isImporting = true;
    imports.add(async (signal) => {
      const inPlaceOf = await this.#earlierVersion(place);
      const outcome = await importFound({ registry, log, onEvent, place, foundIn: found.root, inPlaceOf, signal });
      tracked.isImporting = false;
      if (outcome === 'done') this.#done(tracked, 'take', remembered?.fingerprint);
      // It may have changed while it was read; if it could not be read, try again later.
      tracked.dueAtMs = now() + (outcome === 'done' ? timing.gapMs : timing.pollMs);
      this.#wakeTimer.wakeBy(tracked.dueAtMs);
    });
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
      tracked.complaint = undefined;
      if (before !== status && entry.digest === undefined) {
        onEvent({ type: 'run', id: entry.id, alias: entry.alias, path, status });
      }
    } catch (error) {
      const { code, message } = ModelRtcError.from(error);
      const level = code === 'refused' ? 'warn' : 'info';
      if (message !== tracked.complaint)
        log[level]({ path, error }, `the run at ${path} is not registered: ${message}`);
      tracked.complaint = message;
    }
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
