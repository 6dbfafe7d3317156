import type { OnModelProgress, PullModelResult, PushModelResult, TransferReport } from '@model-rtc/client';
import { type AliasConflict, type IfExists, ModelRtcError } from '@model-rtc/protocol';
import type { EngineChoice, LaneInfo } from '@model-rtc/transport';
import type { Context } from '../console/context.ts';
import { formatBytes, formatDuration, formatRate, printable } from '../console/format.ts';
import { createProgressView } from '../console/progress.ts';
import { withWorker } from '../console/worker-session.ts';
import { settlingAlias } from './settle-names.ts';

export interface TransferOptions {
  readonly ref: string;
  readonly session: string | undefined;
  readonly alias?: string | undefined;
  readonly ifExists: IfExists;
  readonly aliasConflict?: AliasConflict | undefined;
  readonly engine: EngineChoice;
  readonly iceServer: readonly string[];
}

export async function pullModel(
  context: Context,
  options: TransferOptions & { readonly safeOnly: boolean },
): Promise<void> {
  await withWorker(context, options, async (worker) => {
    const { ref, alias, ifExists, safeOnly } = options;
    const result = await settlingAlias(context, options.aliasConflict, (aliasConflict) =>
      watched(context, ({ signal, onProgress }) =>
        worker.pullModel(ref, { alias, aliasConflict, ifExists, safeOnly, signal, onProgress }),
      ),
    );
    noteWhoseName(context, ref, result, worker.workerName);
    const name = printable(result.entry.alias ?? result.entry.id);
    const verb = result.outcome === 'pulled' ? `Pulled ${name} from` : `${name} is here already, the same as at`;
    context.output.result(
      summary(result),
      [`${verb} ${printable(worker.workerName)}${story(result)}`, `  ${result.entry.localPath}`].join('\n'),
    );
  });
}

export async function pushModel(context: Context, options: TransferOptions): Promise<void> {
  await withWorker(context, options, async (worker) => {
    const { ref, alias, ifExists } = options;
    const result = await settlingAlias(context, options.aliasConflict, (aliasConflict) =>
      watched(context, ({ signal, onProgress }) =>
        worker.pushModel(ref, { alias, aliasConflict, ifExists, signal, onProgress }),
      ),
    );
    const name = printable(result.entry.alias ?? result.entry.id);
    const verb = result.outcome === 'pushed' ? `Pushed ${name} to` : `${name} is already at`;
    context.output.result(summary(result), `${verb} ${printable(worker.workerName)}${story(result)}`);
  });
}

/** The worker's names come before those of this machine; a person who thought of the other model learns it here. */
function noteWhoseName({ output }: Context, ref: string, result: PullModelResult, workerName: string): void {
  const { entry, namedBy, otherHere } = result;
  if (namedBy === 'client') {
    output.note(`${workerName} has no model "${ref}": taken as this machine's name for ${entry.id}.`);
  } else if (otherHere !== undefined) {
    output.note(`"${ref}" is what ${workerName} calls ${entry.id}; on this machine it was the name of ${otherHere}.`);
  }
}

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: OnModelProgress;
}

/** Shows progress while the work runs; when it is interrupted, says that nothing is lost. */
async function watched<T>(context: Context, work: (watch: Watch) => Promise<T>): Promise<T> {
  const view = createProgressView(context.runtime.stderr, context.output);
  try {
    return await work({ signal: context.signal, onProgress: (progress) => view.show(progress) });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    throw ModelRtcError.because(
      error,
      'cancelled',
      'Cancelled. What has arrived is kept: run the same command again to resume.',
    );
  } finally {
    view.end();
  }
}

/** How much, how fast and over what; then what did not have to be sent. */
function story(report: TransferReport & { readonly entry: { readonly size: number } }): string {
  const { transferredBytes, reusedBytes, resumedBytes, seconds, bytesPerSecond, lanes } = report;
  if (transferredBytes === 0 && resumedBytes === 0)
    return `: nothing of ${formatBytes(report.entry.size)} had to be sent`;
  const sent = `: ${formatBytes(transferredBytes)} in ${formatDuration(seconds * 1000)} (${formatRate(bytesPerSecond)}) over ${lanes.map(laneName).join(' + ') || 'no lane'}, verified`;
  const saved = [
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} taken from models that were there`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} kept from an earlier attempt`] : []),
  ];
  return saved.length === 0 ? sent : `${sent}\n  not sent: ${saved.join('; ')}`;
}

function laneName({ kind, engine }: LaneInfo): string {
  return engine === undefined ? kind : `${kind}/${engine}`;
}

function summary({ firstChunkMs, ...result }: PullModelResult | PushModelResult) {
  return { ...result, timings: { firstChunkMs, totalMs: performance.now() } };
}
