import type { Log } from '@model-rtc/protocol';
import type { SignedRecord } from '../../core/index.ts';
import { decodeKept } from './record-names.ts';

export interface TakeKeptOptions {
  /** @returns the record's name if it is news */
  readonly take: (record: SignedRecord) => Promise<string | undefined>;
  /** Takes the roster's parts: they alone say that a node is a member still whose invite was revoked since. */
  readonly beforeCatalogs: () => Promise<void>;
  readonly log: Pick<Log, 'debug'>;
}

/** Takes records from this machine's own disk. Those that do not count any more are left out. @returns the names of those that are news */
export async function takeKept(
  kept: readonly Uint8Array[],
  { take, beforeCatalogs, log }: TakeKeptOptions,
): Promise<string[]> {
  const names: string[] = [];
  for (const record of decodeKept(kept)) {
    if (record.kind === 'model_catalog') await beforeCatalogs();
    try {
      const name = await take(record);
      if (name !== undefined) names.push(name);
    } catch (error) {
      log.debug({ err: error }, 'a record of the mesh on this disk does not count any more');
    }
  }
  return names;
}
