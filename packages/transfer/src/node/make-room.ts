import { contentsDigest, type ModelContents } from '@model-rtc/protocol';
import type { EvictedModel, Registry } from '@model-rtc/registry';
import { stagedNeeds } from './staging/staged-transfers.ts';
import { readTransfers } from './transfers/record-file.ts';
import { isOver, type TransferKind } from './transfers/types.ts';

/** How much room the models of this machine may take. */
export interface StorageCap {
  readonly capBytes: number;
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
  const { evicted } = await registry.makeRoom({
    capBytes: cap.capBytes,
    bytes: Math.max(0, sizeOf(contents) - (here?.size ?? 0)),
    comingBytes: others.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    needed: await stagedNeeds(paths.staging),
    dryRun,
  });
  if (evicted.length > 0 && dryRun !== true) cap.onEvicted?.(evicted);
  return evicted;
}

function sizeOf({ files }: ModelContents): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
