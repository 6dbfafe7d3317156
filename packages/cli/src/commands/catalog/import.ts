import { open } from 'node:fs/promises';
import { isMissing, storageError } from '@model-rtc/files';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, requiredText } from '../../command-line/types.ts';
import { formatCount, formatSome, printable } from '../../console/format.ts';

/** As large as the largest catalog that a worker sends. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Ids that a line names. */
const MAX_SHOWN = 5;

export const importCatalog = defineCommand({
  usage: 'import <file>',
  describe: "Register the models of another machine's catalog that are not here; nothing is fetched",
  positionals: {
    file: requiredText('A file that catalog export wrote', { completes: 'files' }),
  },
  examples: [['$0 catalog import catalog.json', 'then fetch what you want: model-rtc catalog fetch ID']],
  async run(context, { file }) {
    const { parseCatalog, planOf } = await import('@model-rtc/client');
    const { models, pool_id } = parseCatalog(await readBounded(file), printable(file));
    const registry = await context.registry();
    const plans = models.map((model) => planOf(model, pool_id));
    const taken = await registry.registerModels(plans);
    const refused = new Set(taken);
    const registered = plans.map(({ id }) => id).filter((id) => !refused.has(id));
    if (taken.length > 0) {
      context.output.note(`In the catalog already: ${formatSome(taken.map(printable), MAX_SHOWN)}.`);
    }
    const text = `Registered ${formatCount(registered.length, 'model')}; ${taken.length} ${taken.length === 1 ? 'was' : 'were'} in the catalog already`;
    context.output.result({ registered, taken }, text);
  },
});

/** @throws ModelRtcError `not_found_locally`, `bad_argument` for a file that is too long, `storage` */
async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size <= MAX_FILE_BYTES) return await file.readFile('utf8');
    throw new ModelRtcError(
      'bad_argument',
      `${path} has more than ${formatBytes(MAX_FILE_BYTES)}, so it is no catalog.`,
    );
  } catch (thrown) {
    if (thrown instanceof ModelRtcError) throw thrown;
    if (!isMissing(thrown)) throw storageError(thrown, path, 'read');
    const sentence = `There is no file ${path}. Pass one that model-rtc catalog export wrote.`;
    throw ModelRtcError.because(thrown, 'not_found_locally', sentence);
  }
}
