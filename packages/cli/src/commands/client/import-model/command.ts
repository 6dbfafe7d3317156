import { join } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ModelInFolder, Registry } from '@model-rtc/registry';
import { defineCommand, requiredText } from '../../../command-line/types.ts';
import type { Context } from '../../../console/context.ts';
import { printable } from '../../../console/format.ts';
import { incompleteNote } from '../../incomplete.ts';
import { type BroughtIn, bringIn, importedText, surprises } from './bring-in.ts';
import { convertedText } from './converted.ts';
import { localOptions } from './hub-options.ts';
import { followedText, leftOutText } from './left-out.ts';
import { findNamed } from './named-store.ts';
import { type ImportOptions, importOptions, withAnswers } from './options.ts';
import { askWhich, importEach, isSeveral, listSeveral } from './several.ts';

export const importModel = defineCommand({
  usage: 'import-model <path>',
  describe: 'Register a model that is on this disk, or take one from a hub',
  positionals: {
    path: requiredText(
      "The model's folder, its weights file, or an archive that export-model wrote; hf:ORG/NAME[@REV] on a hub; ollama:NAME:TAG, or ORG/NAME[@REV] in a hub's cache",
      { completes: 'files' },
    ),
  },
  options: importOptions,
  // A download comes first, which takes long and needs the memory.
  importsModels: ({ path }) => !path.startsWith('hf:'),
  examples: [
    ['$0 client import-model ./runs/mouse --alias good-mouse-v1', 'link a sleap-nn run into the registry'],
    ['$0 client import-model weights.safetensors --copy', 'copy a single file'],
    ['$0 client import-model ./runs/tuned --parent good-mouse-v1 --tag lab --tag mouse', 'with its lineage'],
    ['$0 client import-model ./ggufs --all', 'each model of a folder'],
    [
      "$0 client import-model ./runs/mouse --include run.sh --exclude 'plots/**'",
      'with other files than the usual ones',
    ],
    ['$0 client import-model ./bert --convert safetensors', 'a copy without pickles'],
    ['$0 client import-model ./engine --as-is --model-type tensorrt', 'a folder of any format'],
    ['$0 client import-model ollama:llama3.2:1b', 'a model of ollama, where it is'],
    ['$0 client import-model hf:Qwen/Qwen2.5-0.5B', 'from a hub, after a look at its license'],
    ["$0 client import-model hf:org/tiny-GGUF@v1 --include '*Q4_K_M*' --accept-license", 'one of several, in a script'],
    ['$0 client import-model /media/usb/mouse.tar', 'an archive that export-model wrote'],
  ],
  async run(context, given) {
    if (given.path.startsWith('hf:')) return await (await import('./from-hub.ts')).importFromHub(context, given);
    const local = localOptions(given);
    const { path, revision = local.revision } = await findNamed(local.path, context.runtime);
    const options = withAnswers({ ...local, path, revision });
    const ways = [options.all, options.asOne, options.asIs].filter(Boolean);
    if (ways.length > 1) {
      throw new ModelRtcError('bad_argument', 'Pass only one of --all, --as-one and --as-is.');
    }
    const registry = await context.registry();
    const asked = options.yes ? { ...context, interactive: false } : context;
    const listed = options.all ? await listSeveral(context, registry, options) : [];
    if (listed.length > 0) return await importEach(context, registry, listed, options);
    const imported = await bringInOrChoose(asked, registry, options);
    if (Array.isArray(imported)) return await importEach(context, registry, imported, options);
    report(context, imported, options);
  },
});

/** The imported model, or the ones that a person chose where several were found. */
async function bringInOrChoose(
  context: Context,
  registry: Registry,
  options: ImportOptions,
): Promise<BroughtIn | ModelInFolder[]> {
  try {
    return await bringIn(context, registry, options);
  } catch (thrown) {
    const error = ModelRtcError.from(thrown);
    if (!context.interactive || !isSeveral(error)) throw error;
    const models = await listSeveral(context, registry, options);
    if (models.length === 0) throw error;
    const chosen = await askWhich(context, models, options.path);
    const [only, ...others] = chosen;
    if (only === undefined || others.length > 0) return [...chosen];
    return await bringIn(context, registry, { ...options, path: join(options.path, only.path), revision: undefined });
  }
}

function report(context: Context, imported: BroughtIn, options: ImportOptions): void {
  const { entry, outcome, skipped, followed = [], movedTo, converted } = imported;
  const notes = [
    ...surprises(imported, options),
    movedTo === undefined ? '' : `The model is in ${printable(movedTo)}.`,
    leftOutText(skipped),
    convertedText(imported),
    followedText(followed),
    entry.incomplete === undefined ? '' : incompleteNote(entry),
  ];
  for (const note of notes) if (note !== '') context.output.note(note);
  context.output.result({ outcome, entry, skipped, followed, converted }, importedText(imported));
}
