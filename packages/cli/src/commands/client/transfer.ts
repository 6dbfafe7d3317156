import type {
  ModelPlan,
  OnModelProgress,
  PullModelResult,
  PullPlan,
  PushModelResult,
  SpeedOptions,
  TransferReport,
  WorkerBytes,
} from '@model-rtc/client';
import { formatBytes } from '@model-rtc/protocol';
import { type ArgumentSpecs, flagOption, textOption, type ValuesOf } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatDuration, formatRate, formatShare, formatSome, printable, shortName } from '../../console/format.ts';
import { laneKindsText } from '../../console/lanes-text.ts';
import { parseDuration, parseRate } from '../../console/quantities.ts';
import { evictedText } from '../../console/storage-cap.ts';
import { aliasConflictOption, priorityOption } from '../options.ts';

/** How whatever a command moves treats the network: the same for models and for the data and results of jobs. */
export const speedOptions = {
  limit: textOption('The most to move per second, such as 20MB or 50Mbit'),
  nice: flagOption('Yield to other traffic on the network'),
  ...priorityOption,
  compress: {
    choices: ['auto', 'off'],
    default: 'auto',
    describe: 'Compress when the connection is slower than compressing',
  },
  'max-reconnect-time': textOption('How long to wait for a lost worker, or for anything to come [2m]'),
} as const satisfies ArgumentSpecs;

/** The options of both pull-model and push-model. */
export const transferOptions = {
  ...aliasConflictOption,
  'if-exists': {
    choices: ['skip', 'overwrite'],
    default: 'skip',
    describe: 'If it is already there: leave it, or verify and repair it and set its alias',
  },
  'dry-run': flagOption('Show how much would be sent, and send nothing'),
  ...speedOptions,
} as const satisfies ArgumentSpecs;

export type SpeedFlags = Pick<ValuesOf<typeof speedOptions>, 'limit' | 'nice' | 'compress'> &
  Partial<Pick<ValuesOf<typeof speedOptions>, 'maxReconnectTime' | 'priority'>>;

export type TransferOptions = SpeedFlags & Pick<ValuesOf<typeof transferOptions>, 'dryRun'>;

/** How to interrupt a pull or push, where its progress goes, and how fast it may be. */
export interface TransferControls extends SpeedOptions {
  readonly signal: AbortSignal;
  readonly onProgress: OnModelProgress;
}

/** @throws ModelRtcError `bad_argument` for a limit that is not a rate, or a time that is none. */
export function speedFrom({ limit, nice, compress, maxReconnectTime, priority }: SpeedFlags): SpeedOptions {
  const limitBytesPerSecond = limit === undefined ? undefined : parseRate(limit, '--limit');
  const maxReconnectMs =
    maxReconnectTime === undefined ? undefined : parseDuration(maxReconnectTime, '--max-reconnect-time');
  return { limitBytesPerSecond, nice, compress, maxReconnectMs, priority };
}

/**
 * Shows progress from now on, and explains what an interruption leaves behind.
 *
 * @throws ModelRtcError as `speedFrom`
 */
export async function beginTransfer(
  context: Context,
  { dryRun, ...flags }: TransferOptions,
): Promise<TransferControls> {
  const speed = speedFrom(flags);
  context.explainCancel(
    dryRun
      ? 'Cancelled. A dry run sends nothing.'
      : 'Cancelled. What has arrived is kept: run the same command again to resume.',
  );
  const onProgress = await context.output.progress();
  context.output.events?.begin();
  onProgress({ type: 'connecting' });
  return { signal: context.signal, onProgress, ...speed };
}

/** Prints a dry run. @param where - the receiver: `here`, or `at lab`. */
export function printPlan({ output }: Context, plan: ModelPlan | PullPlan, where: string): void {
  const { totalBytes, transferBytes } = plan;
  // The last event of a dry run says how many of the bytes are there already.
  output.events?.planned({ doneBytes: totalBytes - transferBytes, totalBytes });
  output.result({ outcome: 'planned', ...plan }, planText(plan, where));
}

/** A result as JSON, with the time since this process started. */
export function resultData({ firstChunkMs, ...result }: PullModelResult | PushModelResult) {
  return { ...result, timings: { firstChunkMs, totalMs: performance.now() } };
}

type Transferred = TransferReport & {
  readonly entry: { readonly size: number };
  readonly workers?: readonly WorkerBytes[] | undefined;
};

/** How many models that share data with the transferred one are named. */
const NAMED_MODELS = 3;

/** How much was sent, how fast and over which lanes; then what did not have to be sent. */
export function transferText(report: Transferred): string {
  const { transferredBytes, reusedBytes, resumedBytes, wastedBytes, seconds, bytesPerSecond, entry } = report;
  if (transferredBytes === 0 && resumedBytes === 0 && wastedBytes === 0)
    return `: nothing to send, all ${formatBytes(entry.size)} were there`;
  const time = `${formatDuration(seconds * 1000)} (${formatRate(bytesPerSecond)})`;
  const sent = `: ${formatShare(transferredBytes, entry.size)} sent in ${time} over ${lanesOf(report) || 'no lane'}, verified`;
  const saved = [
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} that were there, or repeat in the model`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} from an earlier attempt`] : []),
  ];
  const lines = [
    sent,
    ...(saved.length === 0 ? [] : [`  not sent: ${saved.join('; ')}`]),
    ...(wastedBytes > 0 ? [`  sent in vain, and not counted above: ${formatBytes(wastedBytes)}`] : []),
  ];
  return lines.join('\n');
}

/** The lanes that carried data; where that was not counted, those that were open at the end. */
function lanesOf({ workers = [], lanes }: Transferred): string {
  const carried = workers.flatMap((worker) => worker.lanes);
  if (carried.length === 0) return laneKindsText(lanes);
  return laneKindsText(
    carried.flatMap(({ kind, engine, count }) => Array.from({ length: count }, () => ({ kind, engine }))),
  );
}

/** One line for each of several workers. */
export function workersText(workers: readonly WorkerBytes[]): string[] {
  if (workers.length < 2) return [];
  return workers.map(({ name, bytes, lanes }) => {
    const by = lanes.map((lane) => {
      const kind = laneKindsText(Array.from({ length: lane.count }, () => lane));
      return lanes.length > 1 ? `${kind} ${formatBytes(lane.bytes)}` : kind;
    });
    return `  ${formatBytes(bytes)} from ${printable(name)} over ${by.join(', ')}`;
  });
}

/**
 * How much would be transferred, and why not all of it: `1.3 of 14.0 GB would be sent; 12.7 GB are here already in base-model`.
 *
 * @param where - the receiver: `here`, or `at lab`.
 */
export function planText(plan: ModelPlan & Partial<Pick<PullPlan, 'reusedFrom' | 'evicts'>>, where: string): string {
  const { exists, totalBytes, transferBytes, reusedBytes, resumedBytes, reusedFrom = [] } = plan;
  const name = shortName(plan);
  if (exists) return `Nothing would be sent: ${name} (${formatBytes(totalBytes)}) is ${where} already`;
  const models =
    reusedFrom.length === 0 ? ', or repeat in the model' : ` in ${formatSome(reusedFrom.map(shortName), NAMED_MODELS)}`;
  const parts = [
    `${formatShare(transferBytes, totalBytes)} would be sent`,
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} are ${where} already${models}`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} were fetched by an earlier attempt`] : []),
  ];
  const gone = (plan.evicts ?? []).map((model) => `\n  to make room, this would be removed: ${evictedText(model)}`);
  return `${name}: ${parts.join('; ')}${gone.join('')}`;
}
