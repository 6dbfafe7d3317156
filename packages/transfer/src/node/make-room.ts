import { contentsDigest, type Digest, formatBytes, type ModelContents, ModelRtcError } from '@model-rtc/protocol';
import type { EvictedModel, Registry } from '@model-rtc/registry';
import { stagedNeeds } from './staging/staged-transfers.ts';
import { readTransfers } from './transfers/record-file.ts';
import { isOver, type TransferKind } from './transfers/types.ts';

/** How much room the models of this machine may take. */
export interface StorageCap {
  readonly capBytes: number;
  /** False where nothing may go for what comes: it comes only if there is room. True when left out. */
  readonly mayEvict?: boolean | undefined;
  /** Called with the models that made room, once they are gone. What comes waits until it has ended. */
  readonly onEvicted?: ((models: readonly EvictedModel[]) => void | Promise<void>) | undefined;
  /** Called when something was refused because there is no room for it. */
  readonly onRefused?: ((coming: ComingModel, error: ModelRtcError) => void | Promise<void>) | undefined;
}

/** A model that is about to come. */
export interface ComingModel {
  /** As people call it. */
  readonly name: string;
  readonly bytes: number;
  /** As far as it is known. */
  readonly digest?: Digest | undefined;
}

/** @param name - as people call the model */
export function comingModel(name: string, contents: ModelContents): ComingModel {
  return { name, bytes: contents.files.reduce((sum, { size }) => sum + size, 0), digest: contentsDigest(contents) };
}

export interface MakeRoomOptions {
  readonly registry: Registry;
  readonly cap: StorageCap;
  readonly coming: ComingModel;
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
  const { cap, coming, dryRun } = options;
  try {
    const evicted = await makeRoom(options);
    if (evicted.length > 0 && dryRun !== true) await cap.onEvicted?.(evicted);
    return evicted;
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'storage_full' && dryRun !== true) await cap.onRefused?.(coming, known);
    throw known;
  }
}

async function makeRoom(options: MakeRoomOptions): Promise<readonly EvictedModel[]> {
  const { registry, cap, coming, transferId, dryRun } = options;
  const { paths } = registry;
  const { digest } = coming;
  const others = (await readTransfers(paths.transfers)).filter(
    ({ id, kind, digest: its, ...transfer }) =>
      // Another transfer of the same model brings it once.
      !isOver(transfer) && BRINGS.has(kind) && id !== transferId && (its === undefined || its !== digest),
  );
  const here = digest === undefined ? undefined : await registry.find(digest);
  const mayEvict = cap.mayEvict !== false;
  const bytes = Math.max(0, coming.bytes - (here?.linked === false ? here.size : 0));
  const { evicted } = await registry.makeRoom({
    ...{ capBytes: cap.capBytes, bytes },
    comingBytes: others.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    needed: await stagedNeeds(paths.staging),
    dryRun: dryRun === true || !mayEvict,
  });
  if (!mayEvict && evicted.length > 0) throw noRoomLeft(bytes, cap.capBytes);
  return evicted;
}

function noRoomLeft(bytes: number, capBytes: number): ModelRtcError {
  const sentence = `It needs ${formatBytes(bytes)}, other models would have to go, and storage.cap allows ${formatBytes(capBytes)}. Remove models with client delete-model, or raise it: model-rtc settings set storage.cap SIZE.`;
  const details = { neededBytes: bytes, capBytes, setting: 'storage.cap' };
  return new ModelRtcError('storage_full', sentence, { details });
}
