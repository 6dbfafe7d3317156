import { cancelledBy, ModelRtcError, pause } from '@model-rtc/protocol';
import type { ChunkSource, SourcePool } from '@model-rtc/transfer';
import { REPLACE_AFTER_MS } from '../limits.ts';
import { type HubFiles, hubConnection } from './connection.ts';

export interface KeepOptions {
  readonly pool: SourcePool;
  readonly connections: number;
  readonly signal: AbortSignal;
}

/**
 * Keeps connections in the pool, and replaces one that failed while others go on.
 * @returns why there is none any more
 */
export async function keepConnections(
  files: HubFiles,
  { pool, connections, signal }: KeepOptions,
): Promise<ModelRtcError> {
  const open = new Set<ChunkSource>();
  let number = 0;
  const add = (): void => {
    const source = hubConnection(files, number++);
    open.add(source);
    pool.add(source);
  };
  return await new Promise((resolve) => {
    let isOver = false;
    const end = (error: ModelRtcError): void => {
      isOver = true;
      stopListening();
      signal.removeEventListener('abort', onAbort);
      for (const source of open) pool.remove(source);
      open.clear();
      resolve(error);
    };
    const onAbort = (): void => end(cancelledBy(signal));
    const replace = (): void => {
      pause(REPLACE_AFTER_MS, files.clock, signal)
        .then(() => {
          if (!isOver) add();
        })
        .catch(() => {});
    };
    const stopListening = pool.onChange((change) => {
      if (change.type !== 'removed' || !open.delete(change.source)) return;
      const { error = new ModelRtcError('network', `${files.name} is no longer used.`) } = change;
      const isWorthIt = files.failures++ < connections && error.recoversBy('reconnect');
      if (open.size > 0 && isWorthIt) replace();
      else end(error);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else for (let i = 0; i < connections && !isOver; i++) add();
  });
}
