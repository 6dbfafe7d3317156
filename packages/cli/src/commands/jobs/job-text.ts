import { formatBytes, isEnded, type Job, type JobEvent } from '@model-rtc/protocol';
import { formatDuration, formatPercent, printable } from '../../console/format.ts';

/** Colours and cursor movements that programs print for a terminal: CSI and OSC sequences, and other escapes of two characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these sequences begin with a control character
const TERMINAL_SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const TAB = '    ';

/** A line that a runner printed, harmless for a terminal. */
export function lineText({ text, stream }: Extract<JobEvent, { type: 'log' }>): string {
  const line = printable(text.replaceAll(TERMINAL_SEQUENCES, '').replaceAll('\t', TAB).trimEnd());
  return stream === 'worker' ? `[worker] ${line}` : line;
}

/** `completed`, `failed (exit code 3)`, `queued (2nd)`. */
export function stateText({ state, exit, position }: Pick<Job, 'state' | 'exit' | 'position'>): string {
  if (state === 'queued' && position !== undefined) return `queued (place ${position})`;
  return state === 'failed' && exit !== undefined ? `failed (${exitText(exit)})` : state;
}

/** `exit code 3`, `signal SIGKILL`. */
export function exitText({ code, signal }: NonNullable<Job['exit']>): string {
  return signal === undefined ? `exit code ${code ?? 'unknown'}` : `signal ${printable(signal)}`;
}

/** How long the runner took, or has been at it. */
export function durationText({ startedAt, endedAt, state }: Job, nowMs: number): string {
  if (startedAt === undefined) return '';
  const endMs = endedAt === undefined ? nowMs : Date.parse(endedAt);
  return isEnded(state) || endedAt === undefined ? formatDuration(endMs - Date.parse(startedAt)) : '';
}

/** The models by their names, in order. */
export function modelsText({ models, resume }: Pick<Job, 'models' | 'resume'>): string {
  if (resume !== undefined) return `resumes ${printable(resume)}`;
  return models.map(({ alias, id }) => printable(alias ?? id)).join(' + ');
}

export function dataText({ data }: Pick<Job, 'data'>): string {
  return data.map(({ name }) => printable(name)).join(', ');
}

/** `42%, 55 s of processor, 1.2 GB memory`: what is known of how far a job is, and of what it takes. */
export function statusText({ progress, usage }: Pick<Job, 'progress' | 'usage'>): string {
  const { cpuSeconds = 0, memoryBytes = 0, gpuMemoryBytes = 0 } = usage ?? {};
  return [
    ...(progress?.fraction === undefined ? [] : [formatPercent(progress.fraction, 1)]),
    ...(cpuSeconds >= 1 ? [`${formatDuration(cpuSeconds * 1000)} of processor time`] : []),
    ...(memoryBytes > 0 ? [`${formatBytes(memoryBytes)} memory`] : []),
    ...(gpuMemoryBytes > 0 ? [`${formatBytes(gpuMemoryBytes)} GPU memory`] : []),
  ].join(', ');
}
