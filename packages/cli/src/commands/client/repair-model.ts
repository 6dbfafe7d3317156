import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { printable } from '../../console/format.ts';
import type { ProgressView } from '../../console/progress.ts';
import { type NetworkOptions, networkOptions } from '../connect.ts';
import { localModel } from '../options.ts';
import type { RepairDone } from './repair.ts';

interface RepairModelOptions extends NetworkOptions {
  readonly ref: string;
  readonly from?: string | undefined;
}

export const repairModel = defineCommand({
  usage: 'repair-model <ref>',
  describe: 'Make a damaged model whole, or point it to where its files are now',
  positionals: { ref: localModel },
  options: {
    ...networkOptions,
    path: {
      type: 'string',
      describe: 'The folder or file where the same files are now',
      conflicts: 'from',
      completes: 'files',
    },
    from: {
      type: 'string',
      describe: 'Fetch the damaged chunks from this worker: a session token, a saved name, or @FILE',
      completes: 'workers',
    },
  },
  epilogue: 'With neither, it tries other models on this machine and the saved workers that have the model.',
  examples: [
    ['$0 client repair-model good-mouse-v1 --path /mnt/new/run', 'its files were moved'],
    ['$0 client repair-model good-mouse-v1 --from lab', 'fetch what is damaged'],
  ],
  async run(context, options) {
    const view = await context.progress();
    try {
      if (options.path === undefined) await repairBytes(context, options, view);
      else await relink(context, options.ref, options.path, view);
    } catch (error) {
      if (!context.signal.aborted) throw error;
      const sentence = 'Cancelled; the model is unchanged. Run the same command again to resume.';
      throw ModelRtcError.because(error, 'cancelled', sentence);
    } finally {
      view.end();
    }
  },
});

async function relink(context: Context, ref: string, path: string, view: ProgressView): Promise<void> {
  const registry = await context.registry();
  const { entry } = await registry.relink(ref, path, {
    signal: context.signal,
    onProgress: (progress) => view.show({ type: 'local', ...progress }),
  });
  const name = printable(entry.alias ?? entry.id);
  const how = entry.linked ? 'is linked to' : 'was copied again from';
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
  const { repairDamaged, repairFrom } = await import('./repair.ts');
  const show: Parameters<typeof repairDamaged>[3] = (progress) => view.show(progress);
  const { from } = options;
  // A model that is whole needs no connection.
  const done =
    from === undefined || found.state !== 'damaged'
      ? await repairDamaged(context, found, options, show)
      : await repairFrom(context, found, { ...options, session: from }, show);
  const { firstChunkMs: _, ...result } = done;
  context.output.result(result, describe(done));
}

function describe({ outcome, entry, from, transferredBytes, reusedBytes, resumedBytes }: RepairDone): string {
  const name = printable(entry.alias ?? entry.id);
  if (outcome === 'sound') return `${name} is whole; nothing to repair`;
  const parts = [
    ...(transferredBytes > 0 ? [`${formatBytes(transferredBytes)} from ${printable(from ?? 'a worker')}`] : []),
    ...(reusedBytes > 0 ? [`${formatBytes(reusedBytes)} from this machine`] : []),
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} from an earlier attempt`] : []),
  ];
  return `Repaired ${name}: ${parts.join('; ')}\n  ${entry.localPath}`;
}
