import type { PullModelResult } from '@model-rtc/client';
import { ModelRtcError } from '@model-rtc/protocol';
import type { Context } from './context.ts';
import { givenName } from './format.ts';

/** What is fetched from nodes of a mesh, and what made this machine fetch it. */
export interface AuditedPull {
  /** As a person or a tool wrote it. */
  readonly ref: string;
  readonly by: string;
}

/** Runs a pull from nodes of a mesh, and notes for the audit what it came to. A model that was here already is no download. */
export async function auditedPull(
  context: Pick<Context, 'home' | 'log'>,
  { ref, by }: AuditedPull,
  pull: () => Promise<PullModelResult>,
): Promise<PullModelResult> {
  const { isNoConsent, noteDecisions, pullEntry } = await import('@model-rtc/mesh');
  const { home, log } = context;
  try {
    const result = await pull();
    const { entry, outcome, workers, transferredBytes: bytes } = result;
    const from = workers.map((worker) => ({ name: worker.name, bytes: worker.bytes }));
    const model = givenName(entry) ?? entry.id;
    if (outcome === 'pulled')
      await noteDecisions(home, [pullEntry({ model, digest: entry.digest, bytes, from, by })], log);
    return result;
  } catch (thrown) {
    const error = ModelRtcError.from(thrown);
    // A refusal has an entry of its own.
    if (!isNoConsent(error)) await noteDecisions(home, [pullEntry({ model: ref, from: [], by, error })], log);
    throw error;
  }
}
