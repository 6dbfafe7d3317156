import type {
  ModelProgress,
  OnModelProgress,
  PullModelResult,
  RepairModelResult,
  TakenFromHub,
} from '@model-rtc/client';
import type { PullGiver } from '@model-rtc/mesh';
import { givenName, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import type { Context } from './context.ts';
import { isMeshText } from './mesh-reference.ts';

/** What is fetched from nodes of a mesh, and what made this machine fetch it. */
export interface AuditedPull {
  /** As a person or a tool wrote it. */
  readonly ref: string;
  readonly by: string;
}

/** What came of a fetch that succeeded, as a pull, a repair or an import from a hub says it. */
interface Fetched {
  readonly entry: RegistryEntry;
  readonly outcome: (PullModelResult | RepairModelResult | TakenFromHub)['outcome'];
}

/** Those by which nothing came. */
const WAS_HERE: ReadonlySet<Fetched['outcome']> = new Set(['already_there', 'sound']);

/**
 * Runs a pull or repair from nodes of a mesh, and notes for the audit what it came to. A model that was here already is no download.
 * @param pull - hands on its progress, so that it is known from whom how much came, of a pull that fails too
 */
export async function auditedPull<F extends Fetched>(
  context: Pick<Context, 'home' | 'log'>,
  { ref, by }: AuditedPull,
  pull: (onProgress: OnModelProgress) => Promise<F>,
): Promise<F> {
  const { noteDecisions, pullEntry } = await import('@model-rtc/mesh');
  const { home, log } = context;
  const givers = await pullGivers();
  let from: readonly PullGiver[] = [];
  const onProgress: OnModelProgress = (progress) => {
    from = givers.note(progress);
  };
  try {
    const result = await pull(onProgress);
    const { entry, outcome } = result;
    const model = givenName(entry) ?? entry.id;
    if (!WAS_HERE.has(outcome))
      await noteDecisions(home, [pullEntry({ model, digest: entry.digest, bytes: sumOf(from), from, by })], log);
    return result;
  } catch (thrown) {
    const error = ModelRtcError.from(thrown);
    if (!(await hasOwnEntry(error))) {
      await noteDecisions(home, [pullEntry({ model: ref, bytes: sumOf(from), from, by, error })], log);
    }
    throw error;
  }
}

/**
 * The same for a command that may fetch from nodes of a mesh, or from others, whose pulls are not noted.
 * @param about.from - the references and sessions as a person wrote them
 */
export async function fetchAudited<F extends Fetched>(
  context: Context,
  { from, ...about }: AuditedPull & { readonly from: Iterable<string | undefined> },
  onProgress: OnModelProgress,
  pull: (onProgress: OnModelProgress) => Promise<F>,
): Promise<F> {
  const isMesh = [...from].some((text) => isMeshText(text ?? context.runtime.env.MODEL_RTC_SESSION ?? ''));
  if (!isMesh) return await pull(onProgress);
  return await auditedPull(context, about, (note) =>
    pull((progress) => {
      note(progress);
      onProgress(progress);
    }),
  );
}

function sumOf(from: readonly PullGiver[]): number {
  return from.reduce((sum, { bytes }) => sum + bytes, 0);
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
