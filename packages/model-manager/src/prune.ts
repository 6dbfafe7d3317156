import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { discardStaging, stagedTransfers } from '@model-rtc/transfer';
import { listsFolder, type ManagerContext } from './context.ts';
import { asModelError } from './errors.ts';
import type { Pruned } from './types.ts';

/** Removes what pulls that were broken off left behind, and copies of lists. No installed model goes. */
export async function prune({ home, withRegistry }: ManagerContext, signal: AbortSignal | undefined): Promise<Pruned> {
  const { transfers, bytes } = await withRegistry(({ paths }) => pruneTransfers(paths.staging, signal));
  const lists = await pruneLists(listsFolder(home));
  return { transfers, lists: lists.count, freedBytes: bytes + lists.bytes };
}

async function pruneTransfers(staging: string, signal: AbortSignal | undefined) {
  let transfers = 0;
  let bytes = 0;
  for (const transfer of await stagedTransfers(staging)) {
    if (transfer.isRunning) continue;
    try {
      await discardStaging({ staging, key: transfer.model, waitMs: 0, signal });
    } catch (error) {
      // It was taken up again a moment ago.
      if (asModelError(error).code === 'busy') continue;
      throw error;
    }
    transfers++;
    bytes += transfer.bytes;
  }
  return { transfers, bytes };
}

async function pruneLists(folder: string) {
  let count = 0;
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/^[0-9a-f]{32}\.json$/.test(name)) continue;
    const path = join(folder, name);
    bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
    await rm(path, { force: true });
    count++;
  }
  return { count, bytes };
}
