import { lstat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { ToolExport, ToolStore } from '@model-rtc/registry';
import { defineCommand, flagOption, requiredText, textOption } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { formatModel, formatSome, printable } from '../../console/format.ts';
import { localModel } from '../options.ts';

const SHOWN_FILES = 4;

export const exportModel = defineCommand({
  usage: 'export-model <ref>',
  describe: 'Write a model to one tar file, or put it where another tool finds it',
  positionals: { ref: localModel },
  options: {
    to: requiredText("The file to write, such as /media/usb/mouse.tar; with --as, the other tool's folder", {
      completes: 'files',
    }),
    as: {
      choices: ['tar', 'hf-cache', 'ollama', 'folder'],
      default: 'tar',
      describe: 'One tar file, a repository in a Hugging Face cache, a model of ollama, or a folder with its files',
    },
    name: textOption('What the other tool calls it: ORG/NAME, NAME:TAG, or a folder [its name or alias]'),
    force: flagOption('Replace an existing file without asking; with --as, let the name mean this model from now on'),
  },
  examples: [
    ['$0 client export-model good-mouse-v1 --to /media/usb/mouse.tar', 'write it to a USB stick'],
    ['$0 client import-model /media/usb/mouse.tar', 'and import it on the other machine'],
    ['$0 client export-model mouse --to ~/.ollama/models --as ollama --name mouse:1b', 'then: ollama run mouse:1b'],
    ['$0 client export-model mouse --to ~/.cache/huggingface/hub --as hf-cache --name lab/mouse', 'for transformers'],
  ],
  async run(context, { ref, to, as, name, force }) {
    if (as !== 'tar') {
      await exportToTool(context, ref, { to, as, name, force });
      return;
    }
    if (name !== undefined) {
      throw new ModelRtcError('bad_argument', 'A tar file has no other name than its own. Pass --name with --as.');
    }
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

interface ToolOptions {
  readonly to: string;
  readonly as: ToolStore;
  readonly name: string | undefined;
  readonly force: boolean;
}

async function exportToTool(context: Context, ref: string, { to, as, name, force }: ToolOptions): Promise<void> {
  const registry = await context.registry();
  const onProgress = await context.output.progress();
  const exported = await registry.exportToTool(ref, to, {
    ...{ as, name, overwrite: force, signal: context.signal },
    onProgress: (progress) => onProgress({ type: 'local', phase: 'copy', ...progress }),
  });
  if (exported.leftOut.length > 0) {
    context.output.note(
      `Left out, since ${as} has no place for it: ${formatSome(exported.leftOut.map(printable), SHOWN_FILES)}.`,
    );
  }
  context.output.result(exported, toolText(exported, as));
}

/** Which calls open the model by its name there. */
const OPENED_BY: Readonly<Record<ToolStore, (exported: ToolExport) => string>> = {
  'hf-cache': ({ name }) => `Load it by its name: from_pretrained("${name}")`,
  ollama: ({ name }) => `Run it: ollama run ${name}`,
  folder: ({ path }) => `Its files are in ${path}`,
};

function toolText(exported: ToolExport, as: ToolStore): string {
  const { entry, name, outcome, placed } = exported;
  const opened = printable(OPENED_BY[as](exported));
  if (outcome === 'already_there') return `${formatModel(entry)} is there already, as ${printable(name)}\n${opened}`;
  const ways = Object.entries(WAYS).flatMap(([way, text]) => {
    const bytes = placed[way as keyof typeof placed];
    return bytes > 0 ? [`${formatBytes(bytes)} ${text}`] : [];
  });
  return `Exported ${formatModel(entry)} as ${printable(name)}: ${ways.join(', ')}\n${opened}`;
}

const WAYS: Readonly<Record<keyof ToolExport['placed'], string>> = {
  cloned: 'shared with the registry by reflink',
  linked: 'shared with the registry by hard links',
  copied: 'copied',
  kept: 'there already',
};

/** Asks before an existing file is replaced. Anything else in its place is refused, and a new file needs no permission. */
async function mayReplace(context: Context, to: string): Promise<boolean> {
  const found = await lstat(resolve(to)).catch(() => undefined);
  if (found === undefined || !(found.isFile() || found.isSymbolicLink())) return false;
  if (await confirm(context, { text: `${to} exists. Replace it?`, flag: '--force' })) return true;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was written.');
}
