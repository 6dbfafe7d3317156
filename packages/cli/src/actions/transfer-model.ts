import type { PullModelResult, PushModelResult, TransferReport } from '@model-rtc/client';
import { type IfExists, ModelRtcError } from '@model-rtc/protocol';
import type { EngineChoice, LaneInfo } from '@model-rtc/transport';
import type { Context } from '../console/context.ts';
import { formatBytes, formatDuration, formatRate, printable } from '../console/format.ts';
import { createProgressView, type ProgressView } from '../console/progress.ts';
import { withWorker } from '../console/worker-session.ts';

export interface TransferOptions {
  readonly ref: string;
  readonly session: string | undefined;
  readonly alias?: string | undefined;
  readonly ifExists: IfExists;
  readonly engine: EngineChoice;
  readonly iceServer: readonly string[];
}

export async function pullModel(context: Context, options: TransferOptions): Promise<void> {
  await withWorker(context, options, async (worker) => {
    const { ref, alias, ifExists } = options;
    const result = await watched(context, (view) =>
      worker.pullModel(ref, { alias, ifExists, signal: context.signal, onProgress: (progress) => view.show(progress) }),
    );
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
    const result = await watched(context, (view) =>
      worker.pushModel(ref, { alias, ifExists, signal: context.signal, onProgress: (progress) => view.show(progress) }),
    );
    const name = printable(result.entry.alias ?? result.entry.id);
    const verb = result.outcome === 'pushed' ? `Pushed ${name} to` : `${name} is already at`;
    context.output.result(summary(result), `${verb} ${printable(worker.workerName)}${story(result)}`);
  });
}

/** Shows progress while the work runs; when it is interrupted, says that nothing is lost. */
async function watched<T>(context: Context, work: (view: ProgressView) => Promise<T>): Promise<T> {
  const view = createProgressView(context.runtime.stderr, context.output);
  try {
    return await work(view);
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
