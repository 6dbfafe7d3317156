import { lstat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { formatModel, printable } from '../../console/format.ts';
import { localModel } from '../options.ts';

export const exportModel = defineCommand({
  usage: 'export-model <ref>',
  describe: 'Write a model to one tar file, for a machine without a network',
  positionals: { ref: localModel },
  options: {
    to: {
      type: 'string',
      demandOption: true,
      describe: 'The file to write, such as /media/usb/mouse.tar',
      completes: 'files',
    },
    force: { type: 'boolean', default: false, describe: 'Replace an existing file without asking' },
  },
  examples: [
    ['$0 client export-model good-mouse-v1 --to /media/usb/mouse.tar', 'write it to a USB stick'],
    ['$0 client import-model /media/usb/mouse.tar', 'and import it on the other machine'],
  ],
  async run(context, { ref, to, force }) {
    const registry = await context.registry();
    // Fails before a question is asked when there is no such model.
    await registry.resolve(ref);
    const overwrite = force || (await mayReplace(context, to));
    const onProgress = await context.output.progress();
    const { entry, path, bytes } = await registry.exportModel(ref, to, {
      overwrite,
      signal: context.signal,
      onProgress: (progress) => onProgress({ type: 'local', phase: 'copy', ...progress }),
    });
    const text = `Exported ${formatModel(entry)} to ${printable(path)}: ${formatBytes(bytes)}
On the other machine: model-rtc client import-model ${printable(basename(path))}`;
    context.output.result({ entry, path, bytes }, text);
  },
});

/** Asks before an existing file is replaced. Anything else in its place is refused, and a new file needs no permission. */
async function mayReplace(context: Context, to: string): Promise<boolean> {
  const found = await lstat(resolve(to)).catch(() => undefined);
  if (found === undefined || !(found.isFile() || found.isSymbolicLink())) return false;
  if (await confirm(context, { text: `${to} exists. Replace it?`, flag: '--force' })) return true;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was written.');
}
