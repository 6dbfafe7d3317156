import { constants, copyFile, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, fileVersion, isMissing, storageError, withLock, writeFileAtomic } from '@model-rtc/files';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import { changeIndex, EMPTY_INDEX } from '../entry/registry-index.ts';
import type { RegistryIndex } from '../entry/types.ts';
import type { DataPaths } from './data-folder.ts';
import { fileModeIn } from './folder-modes.ts';
import { type DecodedIndex, decodeIndex, encodeIndex } from './index-format.ts';
import { recoverFolders } from './index-recovery.ts';
import { keepDamaged } from './keep-damaged.ts';
import { purgeTrash } from './trash.ts';
import type { IndexFile, Update } from './types.ts';
import type { Migration } from './versioned-file.ts';

/** A change holds the lock for milliseconds. Whoever waits longer is told who holds it. */
const LOCK_WAIT_MS = 60_000;

export interface IndexFileOptions {
  readonly paths: DataPaths;
  readonly log: Log;
  readonly now: () => Date;
  readonly migrations?: ReadonlyMap<number, Migration> | undefined;
}

interface Loaded extends DecodedIndex {
  readonly state: 'stored' | 'missing' | 'damaged';
}

export function openIndexFile({ paths, log: everyTime, now, migrations }: IndexFileOptions): IndexFile {
  const path = paths.registryFile;
  // Recovery runs with each change, and finds the same again; a worker makes many.
  const log = warnOnce(everyTime);
  let cached: { readonly version: string; readonly loaded: Loaded } | undefined;

  async function load(): Promise<Loaded> {
    // The file is only ever replaced whole, so its version before the read is that of the bytes or an older one.
    const version = await fileVersion(path);
    if (cached !== undefined && cached.version === version) return cached.loaded;
    const loaded = version === undefined ? MISSING : await decodeFile(path, migrations);
    if (version !== undefined && loaded.state === 'stored') cached = { version, loaded };
    return loaded;
  }

  async function update<T>(change: (index: RegistryIndex) => Promise<Update<T>>, signal?: AbortSignal): Promise<T> {
    try {
      return await withLock(paths.registryLock, { waitMs: LOCK_WAIT_MS, signal }, async () => {
        const before = await load();
        if (before.state === 'damaged') await keepDamagedIndex(path, now(), log);
        if (before.migratedFrom !== undefined) await keepOlder(path, before.migratedFrom);
        const recovered = await recoverFolders(paths, before.index, before.state !== 'stored', log);
        const { result, ...changes } = await change(recovered);
        const after = changeIndex(recovered, changes);
        if (after !== before.index || before.state !== 'stored' || before.migratedFrom !== undefined) {
          await writeFileAtomic(path, encodeIndex(after), { mode: await fileModeIn(paths.root) });
          const version = await fileVersion(path);
          cached = version === undefined ? undefined : { version, loaded: { state: 'stored', index: after } };
        }
        return result;
      });
    } finally {
      // Even after a refused change, since recovery ran before it.
      await purgeTrash(paths, log);
    }
  }

  async function read(): Promise<RegistryIndex> {
    const loaded = await load();
    if (loaded.state === 'stored') return loaded.index;
    return await update(async (index) => ({ result: index }));
  }

  return { read, update };
}

/** A log that gives each warning once. */
function warnOnce(log: Log): Log {
  const told = new Set<string>();
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn(fields, message) {
      if (!told.has(message)) log.warn(fields, message);
      told.add(message);
    },
  };
}

const MISSING: Loaded = { state: 'missing', index: EMPTY_INDEX };

async function decodeFile(path: string, migrations: IndexFileOptions['migrations']): Promise<Loaded> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if (isMissing(thrown)) return MISSING;
    throw storageError(thrown, path, 'read');
  }
  try {
    return { state: 'stored', ...decodeIndex(text, path, migrations) };
  } catch (thrown) {
    if (thrown instanceof ModelRtcError) throw thrown;
    return { state: 'damaged', index: EMPTY_INDEX };
  }
}

async function keepDamagedIndex(path: string, now: Date, log: Log): Promise<void> {
  const kept = await keepDamaged(path, now);
  log.warn(
    { kept },
    'the registry file was damaged: it is kept under another name, and rebuilt from the model folders',
  );
}

async function keepOlder(path: string, version: number): Promise<void> {
  try {
    await copyFile(path, join(dirname(path), `registry.v${version}.json`), constants.COPYFILE_EXCL);
  } catch (thrown) {
    if (errorCode(thrown) !== 'EEXIST') throw storageError(thrown, path, 'kept in its older version');
  }
}
