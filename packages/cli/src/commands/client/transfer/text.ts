import type { ModelPlan, PullPlan, TransferReport, WorkerBytes } from '@model-rtc/client';
import { formatBytes } from '@model-rtc/protocol';
import { formatDuration, formatRate, formatShare, printable } from '../../../console/format.ts';
import { laneKindsText } from '../../../console/lanes-text.ts';

type Transferred = TransferReport & {
  readonly entry: { readonly size: number };
  readonly workers?: readonly WorkerBytes[] | undefined;
};

/** Models listed that have parts of the one that moves. */
const NAMED_MODELS = 3;

/** How much was sent, how fast and over which lanes; then what did not have to be sent. */
export function transferText(report: Transferred): string {
  const { transferredBytes, reusedBytes, resumedBytes, seconds, bytesPerSecond, entry } = report;
  if (transferredBytes === 0 && resumedBytes === 0)
    return `: nothing to send, all ${formatBytes(entry.size)} were there`;
  const time = `${formatDuration(seconds * 1000)} (${formatRate(bytesPerSecond)})`;
  const sent = `: ${formatShare(transferredBytes, entry.size)} sent in ${time} over ${lanesOf(report) || 'no lane'}, verified`;
  const saved = [
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} from models that were there`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} from an earlier attempt`] : []),
  ];
  return saved.length === 0 ? sent : `${sent}\n  not sent: ${saved.join('; ')}`;
}

/** The lanes that carried data; when nobody counted, those that were open at the end. */
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
 * What would move, and why not all of it: `1.3 of 14.0 GB would be sent; 12.7 GB are here already in base-model`.
 *
 * @param where - the receiver: `here`, or `at lab`.
 */
export function planText(plan: ModelPlan & Partial<Pick<PullPlan, 'reusedFrom'>>, where: string): string {
  const { exists, totalBytes, transferBytes, reusedBytes, resumedBytes, reusedFrom = [] } = plan;
  const name = printable(plan.alias ?? plan.id);
  if (exists) return `Nothing would be sent: ${name} (${formatBytes(totalBytes)}) is ${where} already`;
  const models = namesText(reusedFrom.map(({ alias, id }) => printable(alias ?? id)));
  const parts = [
    `${formatShare(transferBytes, totalBytes)} would be sent`,
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} are ${where} already${models}`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} were fetched by an earlier attempt`] : []),
  ];
  return `${name}: ${parts.join('; ')}`;
}

function namesText(names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length - NAMED_MODELS;
  return ` in ${names.slice(0, NAMED_MODELS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
