import type { ModelPlan, OnModelProgress, PullModelResult, PushModelResult } from '@model-rtc/client';
import { type AliasConflict, type IfExists, ModelRtcError } from '@model-rtc/protocol';
import type { Context } from '../console/context.ts';
import { printable } from '../console/format.ts';
import { createProgressView } from '../console/progress.ts';
import { type SpeedFlags, speedOf } from '../console/speed.ts';
import { withWorkers } from '../console/worker-group.ts';
import { type NetworkOptions, withWorker } from '../console/worker-session.ts';
import { settlingAlias } from './settle-names.ts';
import { planText, transferText, workersText } from './transfer-text.ts';

export interface TransferOptions extends NetworkOptions, SpeedFlags {
  readonly ref: string;
  readonly alias?: string | undefined;
  readonly ifExists: IfExists;
  readonly aliasConflict?: AliasConflict | undefined;
  /** Say what would move, and move nothing. */
  readonly dryRun: boolean;
}

export interface PullOptions extends TransferOptions {
  /** Sessions: the model is taken from all that have it at once. */
  readonly worker: readonly string[];
  readonly safeOnly: boolean;
}

export async function pullModel(context: Context, options: PullOptions): Promise<void> {
  const { ref, alias, ifExists, safeOnly, dryRun } = options;
  const speed = speedOf(options);
  await watched(context, options, (watch) =>
    withWorkers(context, options.worker, options, async (workers) => {
      if (dryRun) {
        const plan = await workers.planPull(ref, { safeOnly, ...watch });
        noteWhoseName(context, ref, plan);
        planned(context, plan);
        context.output.result({ outcome: 'planned', ...plan }, planText(plan, 'here'));
        return;
      }
      const result = await settlingAlias(context, options.aliasConflict, (aliasConflict) =>
        workers.pullModel(ref, { alias, aliasConflict, ifExists, safeOnly, ...speed, ...watch }),
      );
      watch.end();
      noteWhoseName(context, ref, { ...result, id: result.entry.id });
      context.output.result(summary(result), pulledText(result));
    }),
  );
}

function pulledText(result: PullModelResult): string {
  const name = printable(result.entry.alias ?? result.entry.id);
  const from = printable(result.workers.map((worker) => worker.name).join(', ') || result.namedAt);
  const verb = result.outcome === 'pulled' ? `Pulled ${name} from` : `${name} is here already, the same as at`;
  const lines = [`${verb} ${from}${transferText(result)}`, ...workersText(result.workers)];
  return [...lines, `  ${result.entry.localPath}`].join('\n');
}

export async function pushModel(
  context: Context,
  options: TransferOptions & { readonly session: string | undefined },
): Promise<void> {
  const { ref, alias, ifExists, dryRun } = options;
  const speed = speedOf(options);
  await watched(context, options, (watch) =>
    withWorker(context, options, async (worker) => {
      if (dryRun) {
        const plan = await worker.planPush(ref, watch);
        planned(context, plan);
        context.output.result({ outcome: 'planned', ...plan }, planText(plan, `at ${printable(worker.workerName)}`));
        return;
      }
      const result = await settlingAlias(context, options.aliasConflict, (aliasConflict) =>
        worker.pushModel(ref, { alias, aliasConflict, ifExists, ...speed, ...watch }),
      );
      watch.end();
      const name = printable(result.entry.alias ?? result.entry.id);
      const verb = result.outcome === 'pushed' ? `Pushed ${name} to` : `${name} is already at`;
      context.output.result(summary(result), `${verb} ${printable(worker.workerName)}${transferText(result)}`);
    }),
  );
}

/** The last event of a dry run says how much is there already, of how much. */
function planned({ output }: Context, { totalBytes, transferBytes }: ModelPlan): void {
  output.events?.planned({ doneBytes: totalBytes - transferBytes, totalBytes });
}

/** The worker's names come before those of this machine; a person who thought of the other model learns it here. */
function noteWhoseName(
  { output }: Context,
  ref: string,
  {
    id,
    namedBy,
    otherHere,
    namedAt,
  }: Pick<PullModelResult, 'namedBy' | 'otherHere' | 'namedAt'> & { readonly id: string },
): void {
  if (namedBy === 'client') {
    output.note(`${namedAt} has no model "${ref}": taken as this machine's name for ${id}.`);
  } else if (otherHere !== undefined) {
    output.note(`"${ref}" is what ${namedAt} calls ${id}; on this machine it was the name of ${otherHere}.`);
  }
}

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: OnModelProgress;
  /** Takes the progress off the terminal. */
  end(): void;
}

/** Shows progress while the work runs; when it is interrupted, says that nothing is lost. */
async function watched(
  context: Context,
  { dryRun }: Pick<TransferOptions, 'dryRun'>,
  work: (watch: Watch) => Promise<void>,
): Promise<void> {
  const { runtime, output, signal } = context;
  const view = createProgressView(runtime.stderr, output);
  output.events?.begin();
  view.show({ type: 'connecting' });
  try {
    await work({ signal, onProgress: (progress) => view.show(progress), end: () => view.end() });
  } catch (error) {
    if (!signal.aborted) throw error;
    const sentence = dryRun
      ? 'Cancelled. A dry run moves nothing, so nothing was sent or fetched.'
      : 'Cancelled. What has arrived is kept: run the same command again to resume.';
    throw ModelRtcError.because(error, 'cancelled', sentence);
  } finally {
    view.end();
  }
}

function summary({ firstChunkMs, ...result }: PullModelResult | PushModelResult) {
  return { ...result, timings: { firstChunkMs, totalMs: performance.now() } };
}
