import type { Digest, Log } from '@model-rtc/protocol';
import { type DataLimits, type DataSets, type DataUsage, openDataSets } from '@model-rtc/registry';
import { discardStaging, stagedTransfers } from '@model-rtc/transfer';
import type { HandlerOptions } from '../handlers/types.ts';
import { DATA_AGE_MS, DATA_BYTES, TIDY_INTERVAL_MS } from '../limits.ts';
import { DataReception } from './data-reception.ts';

export interface WorkerDataOptions extends Pick<HandlerOptions, 'registry' | 'log' | 'limits'> {
  /** How much data is kept for jobs, and for how long. */
  readonly keep?: Partial<DataLimits> | undefined;
  /** The data that queued and running jobs need now. */
  readonly needed: () => ReadonlySet<Digest>;
}

/** The data of a worker's jobs. */
export interface WorkerData {
  readonly dataSets: DataSets;
  readonly reception: DataReception;
  usage(): DataUsage;
  /** Removes what nobody used for too long. It runs by itself once an hour; call it when it is known what jobs need. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** @throws ModelRtcError `storage` */
export async function openWorkerData({ registry, log, limits, keep, needed }: WorkerDataOptions): Promise<WorkerData> {
  const data = dataLimits(keep);
  const dataSets = await openDataSets({ paths: registry.paths, limits: data, needed, log });
  const reception = new DataReception({ registry, log, limits, dataSets, maxStagedBytes: data.maxBytesPerOwner });
  const tidy = async (): Promise<void> => {
    await dataSets.tidy();
    await discardOld(dataSets.staging, data.maxAgeMs, log);
  };
  const timer = setInterval(() => {
    tidy().catch((error: unknown) => log.warn({ err: error }, 'old data of jobs could not be removed'));
  }, TIDY_INTERVAL_MS);
  timer.unref();
  return {
    dataSets,
    reception,
    usage: () => dataSets.usage(),
    tidy,
    async close() {
      clearInterval(timer);
      await dataSets.close();
    },
  };
}

/** One session has half of the room unless its owner says otherwise, so that it cannot keep out the others. */
function dataLimits({
  maxBytes = DATA_BYTES,
  maxAgeMs = DATA_AGE_MS,
  maxBytesPerOwner,
}: Partial<DataLimits> = {}): DataLimits {
  return { maxBytes, maxAgeMs, maxBytesPerOwner: Math.min(maxBytes, maxBytesPerOwner ?? Math.ceil(maxBytes / 2)) };
}

/** What was broken off and not taken up again. */
async function discardOld(staging: string, maxAgeMs: number, log: Log): Promise<void> {
  for (const { model, isRunning, lastWrittenAt } of await stagedTransfers(staging)) {
    if (isRunning || Date.now() - lastWrittenAt.getTime() <= maxAgeMs) continue;
    await discardStaging({ staging, key: model, waitMs: 0 }).catch((error: unknown) =>
      log.debug({ err: error }, 'data that is being received stays'),
    );
  }
}
