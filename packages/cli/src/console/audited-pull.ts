import type { ModelProgress, OnModelProgress, PullModelResult } from '@model-rtc/client';
import type { PullGiver } from '@model-rtc/mesh';
import { givenName, ModelRtcError } from '@model-rtc/protocol';
import type { Context } from './context.ts';

/** What is fetched from nodes of a mesh, and what made this machine fetch it. */
export interface AuditedPull {
  /** As a person or a tool wrote it. */
  readonly ref: string;
  readonly by: string;
}

/**
 * Runs a pull from nodes of a mesh, and notes for the audit what it came to. A model that was here already is no download.
 * @param pull - hands on its progress, so that it is known what came of a pull that fails
 */
export async function auditedPull(
  context: Pick<Context, 'home' | 'log'>,
  { ref, by }: AuditedPull,
  pull: (onProgress: OnModelProgress) => Promise<PullModelResult>,
): Promise<PullModelResult> {
  const { noteDecisions, pullEntry } = await import('@model-rtc/mesh');
  const { home, log } = context;
  const givers = await pullGivers();
  let from: readonly PullGiver[] = [];
  const onProgress: OnModelProgress = (progress) => {
    from = givers.note(progress);
  };
  try {
    const result = await pull(onProgress);
    const { entry, outcome, transferredBytes: bytes } = result;
    const model = givenName(entry) ?? entry.id;
    if (outcome === 'pulled')
      await noteDecisions(home, [pullEntry({ model, digest: entry.digest, bytes, from: result.workers, by })], log);
    return result;
  } catch (thrown) {
    const error = ModelRtcError.from(thrown);
    if (!(await hasOwnEntry(error))) {
      const bytes = from.reduce((sum, giver) => sum + giver.bytes, 0);
      await noteDecisions(home, [pullEntry({ model: ref, bytes, from, by, error })], log);
    }
    throw error;
  }
}

/** Whether an error is a decision of this machine, which is noted where it is made. */
async function hasOwnEntry(error: ModelRtcError): Promise<boolean> {
  const { isNoConsent } = await import('@model-rtc/mesh');
  return isNoConsent(error) || error.details?.setting === 'storage.cap';
}

/** Counts what each node of a pull gives. */
export async function pullGivers(): Promise<{ note(progress: ModelProgress): readonly PullGiver[] }> {
  const { BytesByWorker } = await import('@model-rtc/client');
  const bytes = new BytesByWorker();
  return {
    note(progress) {
      if (progress.type === 'transfer') bytes.note(progress.lanes);
      if (progress.type === 'source_changed') bytes.startOver();
      return bytes.list();
    },
  };
}
