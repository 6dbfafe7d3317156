import { ModelRtcError } from '@model-rtc/protocol';
import type { Context } from '../console/context.ts';
import { formatBytes, printable } from '../console/format.ts';
import { createProgressView, type ProgressView } from '../console/progress.ts';
import { type RepairDone, type RepairNetwork, repairDamaged, repairFrom } from './repair-damaged.ts';

export interface RepairModelOptions extends RepairNetwork {
  readonly ref: string;
  /** Where the same files are now. */
  readonly path?: string | undefined;
  /** A session: a token, a saved name or @FILE. */
  readonly from?: string | undefined;
}

export async function repairModel(context: Context, options: RepairModelOptions): Promise<void> {
  const view = createProgressView(context.runtime.stderr, context.output);
  try {
    if (options.path === undefined) await repairBytes(context, options, view);
    else await relink(context, options.ref, options.path, view);
  } catch (error) {
    if (!context.signal.aborted) throw error;
    const sentence =
      'Cancelled; the model is as it was. What was fetched is kept: run the same command again to go on.';
    throw ModelRtcError.because(error, 'cancelled', sentence);
  } finally {
    view.end();
  }
}

async function relink(context: Context, ref: string, path: string, view: ProgressView): Promise<void> {
  const registry = await context.registry();
  const { entry } = await registry.relink(ref, path, {
    signal: context.signal,
    onProgress: (progress) => view.show({ type: 'local', ...progress }),
  });
  const name = printable(entry.alias ?? entry.id);
  const how = entry.linked ? 'is linked to' : 'was copied anew from';
  const text = `${name} ${how} ${printable(entry.originalPath ?? path)}, verified`;
  context.output.result({ outcome: 'relinked', entry }, text);
}

async function repairBytes(context: Context, options: RepairModelOptions, view: ProgressView): Promise<void> {
  const registry = await context.registry();
  const { signal } = context;
  const found = await registry.verify(options.ref, {
    signal,
    onProgress: (progress) => view.show({ type: 'local', phase: 'verify', ...progress }),
  });
  const show: Parameters<typeof repairDamaged>[3] = (progress) => view.show(progress);
  const { from } = options;
  // One that is whole needs no worker, and no connection.
  const done =
    from === undefined || found.state !== 'damaged'
      ? await repairDamaged(context, found, options, show)
      : await repairFrom(context, found, { ...options, session: from }, show);
  const { firstChunkMs: _, ...result } = done;
  context.output.result(result, describe(done));
}

function describe({ outcome, entry, from, transferredBytes, reusedBytes, resumedBytes }: RepairDone): string {
  const name = printable(entry.alias ?? entry.id);
  if (outcome === 'sound') return `${name} is whole: every byte is right, and nothing had to be repaired`;
  const parts = [
    ...(transferredBytes > 0 ? [`${formatBytes(transferredBytes)} from ${printable(from ?? 'a worker')}`] : []),
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} were on this machine`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} were kept from an earlier attempt`] : []),
  ];
  return `Repaired ${name}: ${parts.join('; ')}\n  ${entry.localPath}`;
}
