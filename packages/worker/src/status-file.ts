import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing, type LockOwner, lockHolder, writeFileAtomic } from '@model-rtc/files';
import { type Log, ModelRtcError, parseJson } from '@model-rtc/protocol';
import * as z from 'zod';

/** How soon a change of the worker is in its file. */
const WRITE_INTERVAL_MS = 2_000;

const laneSchema = z.object({
  kind: z.string(),
  engine: z.string().optional(),
  sentBytes: z.number(),
  receivedBytes: z.number(),
});
const statusSchema = z.object({
  name: z.string(),
  version: z.string(),
  startedAt: z.string(),
  /** The session that the worker printed, without its secret. */
  keyId: z.string(),
  urls: z.array(z.string()),
  directPort: z.number().optional(),
  folders: z.array(z.string()),
  signaling: z.array(z.object({ url: z.string(), state: z.string(), reason: z.string().optional() })),
  clients: z.array(z.object({ name: z.string(), lanes: z.array(laneSchema) })),
  /** The data that is kept for jobs. */
  data: z.object({ sets: z.number(), bytes: z.number(), maxBytes: z.number() }).optional(),
});

/** What a running worker says of itself. It holds no secret. */
export type WorkerStatus = z.infer<typeof statusSchema>;

/** A worker that runs on this machine. */
export interface FoundWorker {
  readonly process: Pick<LockOwner, 'pid' | 'host' | 'takenAt'>;
  /** Undefined while it starts, and of a version that wrote no such file. */
  readonly status: WorkerStatus | undefined;
}

/** The lock of the one worker that a data folder can have. */
export function workerLockPath(root: string): string {
  return join(root, 'worker.lock');
}

function statusPath(root: string): string {
  return join(root, 'worker-status.json');
}

/**
 * Keeps a file in the data folder that says how the worker is, for `model-rtc worker status`. A disk that takes no file is no
 * reason to stop serving.
 * @returns how to stop; the file is gone then
 */
export function keepStatusFile(root: string, read: () => WorkerStatus, log: Log): () => Promise<void> {
  const path = statusPath(root);
  let written = '';
  let writing = Promise.resolve();
  const write = async (): Promise<void> => {
    const text = JSON.stringify(read());
    if (text === written) return;
    try {
      await writeFileAtomic(path, text, { mode: 0o600 });
      written = text;
    } catch (error) {
      log.debug({ err: error }, 'the status of the worker cannot be written');
    }
  };
  const timer = setInterval(() => {
    writing = writing.then(write);
  }, WRITE_INTERVAL_MS);
  timer.unref();
  writing = write();
  return async () => {
    clearInterval(timer);
    await writing;
    await rm(path, { force: true });
  };
}

/** @throws ModelRtcError `not_found_locally` when no worker of this data folder runs */
export async function readWorkerStatus(root: string): Promise<FoundWorker> {
  const holder = await lockHolder(workerLockPath(root));
  if (holder === undefined) {
    throw new ModelRtcError('not_found_locally', `No worker for ${root} is running. Start one: model-rtc worker`);
  }
  const { pid, host, takenAt } = holder;
  const text = await ignoreMissing(readFile(statusPath(root), 'utf8'));
  return { process: { pid, host, takenAt }, status: statusSchema.safeParse(parseJson(text ?? '')).data };
}
