import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { atStorage, isInside } from '@model-rtc/files';
import { type Log, ModelRtcError, silentLog } from '@model-rtc/protocol';
import type { FolderReport, Registry, RegistryEntry, TakeOptions } from '@model-rtc/registry';
import { decide, remember } from './decide.ts';
import { FolderWatch } from './folder-watch.ts';
import { createImportQueue } from './import-found.ts';
import { INTERRUPTED_AFTER_MS, type OnWatchEvent, WATCH_TIMING, type WatchTiming } from './types.ts';

export interface WatchFoldersOptions {
  readonly registry: Registry;
  /** Folders in which models appear and change. */
  readonly folders: readonly string[];
  /** How long a training may write nothing before it counts as interrupted: 10 minutes by default. */
  readonly interruptedAfterMs?: number | undefined;
  readonly timing?: Partial<WatchTiming> | undefined;
  /** What to do with a found model where no symbolic links can be made: it is left out by default. */
  readonly withoutLinks?: TakeOptions['withoutLinks'];
  readonly onEvent?: OnWatchEvent | undefined;
  readonly log?: Log | undefined;
  /** Milliseconds of this machine's clock. */
  readonly now?: (() => number) | undefined;
}

export interface WatchedFolders extends AsyncDisposable {
  /** Resolves when everything was looked at once: runs in training are registered then, and hashing goes on. */
  readonly looked: Promise<void>;
  close(): Promise<void>;
}

/**
 * Registers the models in folders where others put them, and keeps up with what happens there, until it is closed.
 *
 * @throws ModelRtcError `bad_argument` when it is not a folder. A folder that goes away later may come back.
 */
export async function watchFolders(options: WatchFoldersOptions): Promise<WatchedFolders> {
  const {
    registry,
    withoutLinks,
    interruptedAfterMs = INTERRUPTED_AFTER_MS,
    log = silentLog,
    now = Date.now,
  } = options;
  const folders = await realFolders(options.folders);
  const timing = { ...WATCH_TIMING, ...options.timing };
  const onEvent = loggedEvents(log, options.onEvent);
  await updateUnwatched({ registry, watched: folders, interruptedAfterMs, timing, log, now });
  const imports = createImportQueue();
  const reports = createReportKeeper(registry, log);
  const shared = { registry, folders, withoutLinks, interruptedAfterMs, timing, imports, log, onEvent, now };
  const watches = folders.map((folder) => new FolderWatch({ ...shared, folder, onReport: reports.keep }));
  const looked = Promise.all(watches.map((watch) => watch.start())).then(() => undefined);
  const close = async (): Promise<void> => {
    await Promise.all([imports.close(), ...watches.map((watch) => watch.close())]);
    await reports.written();
  };
  return { looked, close, [Symbol.asyncDispose]: close };
}

/** Writes down what was found, so that other commands can tell. Starts without what an earlier worker found. */
function createReportKeeper(registry: Registry, log: Log) {
  const reports = new Map<string, FolderReport>();
  let writing = write();
  async function write(): Promise<void> {
    try {
      await registry.recordReports([...reports.values()]);
    } catch (error) {
      log.info({ error }, `cannot write down what is left out: ${ModelRtcError.from(error).message}`);
    }
  }
  return {
    keep(report: FolderReport): void {
      reports.set(report.folder, report);
      writing = writing.then(write);
    },
    written: () => writing,
  };
}

interface UnwatchedOptions {
  readonly registry: Registry;
  /** The real paths of watched folders, whose runs are up to date anyway. */
  readonly watched: readonly string[];
  readonly interruptedAfterMs: number;
  readonly timing: WatchTiming;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Looks once at the runs that an earlier worker found in folders that are no longer watched, so that none is shown as
 * training forever.
 */
async function updateUnwatched(options: UnwatchedOptions): Promise<void> {
  const { registry, watched, log } = options;
  for (const entry of await registry.listFound()) {
    if (entry.digest !== undefined || watched.includes(entry.foundIn ?? '')) continue;
    try {
      await updateRun(entry, options);
    } catch (error) {
      const { message } = ModelRtcError.from(error);
      log.info({ id: entry.id, error }, `the run ${entry.alias ?? entry.id} cannot be looked at: ${message}`);
    }
  }
}

async function updateRun(entry: RegistryEntry, options: UnwatchedOptions): Promise<void> {
  const { registry, now, timing, interruptedAfterMs } = options;
  const { originalPath: path, foundIn, status } = entry;
  if (path === undefined) return;
  const place = { kind: 'run', path } as const;
  const state = await registry.lookAt(place);
  const nowMs = now();
  const { action } = decide(place, state, remember(undefined, state, nowMs), { nowMs, timing, interruptedAfterMs });
  // A finished run becomes a model when its folder is watched again, or when it is imported.
  if (action !== undefined && action !== 'take' && action !== status) {
    await registry.recordRun({ path, status: action, foundIn });
  }
}

/** Also writes each event to the log. */
function loggedEvents(log: Log, onEvent: OnWatchEvent | undefined): OnWatchEvent {
  return (event) => {
    log.info(event, 'a watched folder changed the registry');
    onEvent?.(event);
  };
}

/** Each folder once, without those inside another one. */
async function realFolders(folders: readonly string[]): Promise<string[]> {
  const real = new Set(await Promise.all(folders.map(realFolder)));
  return [...real].filter((folder) => ![...real].some((other) => other !== folder && isInside(folder, other)));
}

async function realFolder(folder: string): Promise<string> {
  const real = await realpath(resolve(folder)).catch((cause: unknown) => {
    throw noFolder(folder, 'it does not exist', cause);
  });
  const stats = await atStorage(real, 'read', () => stat(real));
  if (!stats.isDirectory()) throw noFolder(folder, 'it is a file');
  return real;
}

function noFolder(folder: string, problem: string, cause?: unknown): ModelRtcError {
  const sentence = `Cannot watch ${folder}: ${problem}. Pass the folder in which models appear.`;
  return new ModelRtcError('bad_argument', sentence, { cause, details: { path: folder } });
}
