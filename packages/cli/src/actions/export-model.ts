import { lstat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ExportedModel } from '@model-rtc/registry';
import { confirm } from '../console/ask.ts';
import type { Context } from '../console/context.ts';
import { formatBytes, printable } from '../console/format.ts';
import { createProgressView } from '../console/progress.ts';

export interface ExportModelOptions {
  readonly ref: string;
  readonly to: string;
  readonly force: boolean;
}

/** Writes a model into one file, for a machine that no network reaches. */
export async function exportModel(context: Context, { ref, to, force }: ExportModelOptions): Promise<void> {
  const registry = await context.registry();
  // Before a question is asked about a model that is not there.
  await registry.resolve(ref);
  const overwrite = force || (await mayReplace(context, to));
  const view = createProgressView(context.runtime.stderr, context.output);
  let exported: ExportedModel;
  try {
    exported = await registry.exportModel(ref, to, {
      overwrite,
      signal: context.signal,
      onProgress: (progress) => view.show({ type: 'local', phase: 'copy', ...progress }),
    });
  } finally {
    view.end();
  }
  report(context, exported);
}

/** Asks about a file that is there. Whatever else is there is refused, and a new file needs no permission. */
async function mayReplace(context: Context, to: string): Promise<boolean> {
  const found = await lstat(resolve(to)).catch(() => undefined);
  if (found === undefined || !(found.isFile() || found.isSymbolicLink())) return false;
  if (await confirm(context, { text: `${to} is there already. Replace it?`, flag: '--force' })) return true;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was written.');
}

function report({ output }: Context, { entry, path, bytes }: ExportedModel): void {
  const called = entry.alias === undefined ? entry.id : `${entry.alias} (${entry.id})`;
  const lines = [
    `Exported ${printable(called)} to ${printable(path)}: ${formatBytes(bytes)}`,
    `On the other machine: model-rtc client import-model ${printable(basename(path))}`,
  ];
  output.result({ entry, path, bytes }, lines.join('\n'));
}
