import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { atStorage, fileVersion, ignoreMissing, removeTemporaries, withLock, writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { fileModeIn } from '../store/folder-modes.ts';
import { keepDamaged } from '../store/keep-damaged.ts';
import { decodePlans, encodePlans, MAX_PLANS_BYTES, type Plans, sortedPlans } from './plan-file.ts';

/** A change takes milliseconds. Whoever waits longer is told who holds the lock. */
const LOCK_WAIT_MS = 30_000;

/** `catalog.json`, shared by any number of processes. */
export interface PlanStore {
  /** Warns of a damaged file, and counts it as empty. @throws ModelRtcError `refused` for a newer version's, `storage` */
  read(): Promise<Plans>;
  /** Reads, changes and writes the plans while no other process can. A damaged file is kept under another name first. */
  change<T>(make: (plans: Plans) => { readonly plans: Plans; readonly result: T }): Promise<T>;
}

type Loaded = { readonly plans: Plans; readonly isDamaged: boolean };

const NONE: Loaded = { plans: new Map(), isDamaged: false };

export function createPlanStore({ paths, log, now }: Pick<RegistryContext, 'paths' | 'log' | 'now'>): PlanStore {
  const path = paths.catalogFile;
  let cached: { readonly version: string; readonly loaded: Loaded } | undefined;

  async function load(): Promise<Loaded> {
    // The file is only ever replaced whole, so its version before the read is that of the bytes or an older one.
    const version = await fileVersion(path);
    if (version === undefined) return NONE;
    if (cached?.version !== version) cached = { version, loaded: await readPlans(path) };
    return cached.loaded;
  }

  async function clearDamaged(): Promise<void> {
    const kept = await keepDamaged(path, now());
    log.warn({ kept }, `The list of planned models was damaged. It is kept as ${kept}; register them again.`);
  }

  return {
    async read() {
      const { plans, isDamaged } = await load();
      if (isDamaged) {
        const sentence = `${path} is damaged, so planned models are not shown. Mend it, or register one: it is then kept under another name.`;
        log.warn({ path }, sentence);
      }
      return plans;
    },
    async change(make) {
      return await withLock(path.replace(/json$/, 'lock'), { waitMs: LOCK_WAIT_MS }, async () => {
        await removeTemporaries(path);
        const before = await load();
        const { plans, result } = make(before.plans);
        if (plans === before.plans) return result;
        if (before.isDamaged) await atStorage(path, 'renamed', clearDamaged);
        await writeFileAtomic(path, encodePlans(sortedPlans(plans)), { mode: await fileModeIn(dirname(path)) });
        return result;
      });
    },
  };
}

async function readPlans(path: string): Promise<Loaded> {
  const text = await atStorage(path, 'read', () => ignoreMissing(readText(path)));
  if (text === undefined) return NONE;
  try {
    return { plans: decodePlans(text, path), isDamaged: false };
  } catch (thrown) {
    if (thrown instanceof ModelRtcError) throw thrown;
    return { plans: NONE.plans, isDamaged: true };
  }
}

/** A file that is too long counts as damaged: an empty text is not JSON. */
async function readText(path: string): Promise<string> {
  return (await stat(path)).size > MAX_PLANS_BYTES ? '' : await readFile(path, 'utf8');
}
