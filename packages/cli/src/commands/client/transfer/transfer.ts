import type { ModelPlan, OnModelProgress, PullModelResult, PushModelResult, SpeedOptions } from '@model-rtc/client';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ArgumentSpecs } from '../../../command-line/types.ts';
import type { Context } from '../../../console/context.ts';
import { parseRate } from '../../../console/quantities.ts';
import { aliasConflictOption } from '../../options.ts';

/** What pull-model and push-model have in common. */
export const transferOptions = {
  ...aliasConflictOption,
  'if-exists': {
    choices: ['skip', 'overwrite'],
    default: 'skip',
    describe: 'If it is already there: leave it, or verify and repair it and set its alias',
  },
  'dry-run': { type: 'boolean', default: false, describe: 'Show how much would be sent, and send nothing' },
  limit: { type: 'string', describe: 'The most to move per second, such as 20MB or 50Mbit' },
  nice: { type: 'boolean', default: false, describe: 'Yield to other traffic on the network' },
  compress: {
    choices: ['auto', 'off'],
    default: 'auto',
    describe: 'Compress when the connection is slower than compressing',
  },
} as const satisfies ArgumentSpecs;

interface SpeedFlags {
  readonly limit?: string | undefined;
  readonly nice: boolean;
  readonly compress: 'auto' | 'off';
}

/** @throws ModelRtcError `bad_argument` for a limit that is not a rate. */
export function speedOf({ limit, nice, compress }: SpeedFlags): SpeedOptions {
  return { limitBytesPerSecond: limit === undefined ? undefined : parseRate(limit, '--limit'), nice, compress };
}

/** The last event of a dry run says how many of the bytes are there already. */
export function reportPlan({ output }: Context, { totalBytes, transferBytes }: ModelPlan): void {
  output.events?.planned({ doneBytes: totalBytes - transferBytes, totalBytes });
}

export interface TransferWatch {
  readonly signal: AbortSignal;
  readonly onProgress: OnModelProgress;
  /** Removes the progress bar from the terminal. */
  end(): void;
}

/** Shows progress while the work runs. When it is interrupted, says that nothing is lost. */
export async function watchTransfer(
  context: Context,
  { dryRun }: { readonly dryRun: boolean },
  work: (watch: TransferWatch) => Promise<void>,
): Promise<void> {
  const { output, signal } = context;
  const view = await context.progress();
  output.events?.begin();
  view.show({ type: 'connecting' });
  try {
    await work({ signal, onProgress: (progress) => view.show(progress), end: () => view.end() });
  } catch (error) {
    if (!signal.aborted) throw error;
    const sentence = dryRun
      ? 'Cancelled. A dry run sends nothing.'
      : 'Cancelled. What has arrived is kept: run the same command again to resume.';
    throw ModelRtcError.because(error, 'cancelled', sentence);
  } finally {
    view.end();
  }
}

/** A result as JSON, with the time since this process started. */
export function resultData({ firstChunkMs, ...result }: PullModelResult | PushModelResult) {
  return { ...result, timings: { firstChunkMs, totalMs: performance.now() } };
}
