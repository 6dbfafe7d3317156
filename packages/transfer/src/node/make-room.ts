import { contentsDigest, formatBytes, type ModelContents, ModelRtcError } from '@model-rtc/protocol';
import type { EvictedModel, Registry } from '@model-rtc/registry';
import { stagedNeeds } from './staging/staged-transfers.ts';
import { readTransfers } from './transfers/record-file.ts';
import { isOver, type TransferKind } from './transfers/types.ts';

/** How much room the models of this machine may take. */
export interface StorageCap {
  readonly capBytes: number;
  /** False where nothing may go for what comes: it comes only if there is room. True when left out. */
  readonly mayEvict?: boolean | undefined;
  /** Called with the models that made room, once they are gone. */
  readonly onEvicted?: ((models: readonly EvictedModel[]) => void) | undefined;
}

export interface MakeRoomOptions {
  readonly registry: Registry;
  readonly cap: StorageCap;
  /** What comes. */
  readonly contents: ModelContents;
  /** The id of its own transfer, whose bytes are not counted twice. */
  readonly transferId?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

const BRINGS: ReadonlySet<TransferKind> = new Set(['pull', 'receive', 'import', 'prefetch']);

/**
 * Removes models that were not used for long, so that another one fits below the cap.
 * @throws ModelRtcError `storage_full` when it does not fit
 */
export async function makeRoomFor(options: MakeRoomOptions): Promise<readonly EvictedModel[]> {
  const { registry, cap, contents, transferId, dryRun } = options;
  const { paths } = registry;
  const digest = contentsDigest(contents);
  const others = (await readTransfers(paths.transfers)).filter(
    ({ id, kind, digest: its, ...transfer }) =>
      // Another transfer of the same model brings it once.
      !isOver(transfer) && BRINGS.has(kind) && id !== transferId && (its === undefined || its !== digest),
  );
  const here = digest === undefined ? undefined : await registry.find(digest);
  const mayEvict = cap.mayEvict !== false;
  const bytes = Math.max(0, sizeOf(contents) - (here?.size ?? 0));
  const { evicted } = await registry.makeRoom({
    ...{ capBytes: cap.capBytes, bytes },
    comingBytes: others.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    needed: await stagedNeeds(paths.staging),
    dryRun: dryRun === true || !mayEvict,
  });
  if (!mayEvict && evicted.length > 0) throw noRoomLeft(bytes, cap.capBytes);
  if (evicted.length > 0 && dryRun !== true) cap.onEvicted?.(evicted);
  return evicted;
}

function sizeOf({ files }: ModelContents): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function noRoomLeft(bytes: number, capBytes: number): ModelRtcError {
  const sentence = `It needs ${formatBytes(bytes)}, other models would have to go, and storage.cap allows ${formatBytes(capBytes)}. Remove models with client delete-model, or raise it: model-rtc settings set storage.cap SIZE.`;
  const details = { neededBytes: bytes, capBytes, setting: 'storage.cap' };
  return new ModelRtcError('storage_full', sentence, { details });
}
