import type { ListedRule, MeshModelHolders, PrefetchRule } from '@model-rtc/mesh';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { type CommandGroup, defineCommand, flagOption, requiredText, textOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, printable } from '../../console/format.ts';
import { parseSize } from '../../console/quantities.ts';
import { renderTable } from '../../console/table.ts';
import { PRIORITY_CHOICES } from '../options.ts';
import { meshOption, openNamedMesh } from './options.ts';
import { lastText, waitsText, whenText, whichText } from './prefetch-text.ts';

const add = defineCommand({
  usage: 'add',
  describe: "Let this machine's worker fetch models of a mesh that fit, before anybody asks for them",
  options: {
    ...meshOption,
    type: textOption('Models of this type, such as gguf'),
    tag: textOption('Models with this tag', { nargs: 1 }),
    name: textOption('Models with a name or alias like this, with * and ?', { nargs: 1 }),
    'max-size': textOption('Models of at most this size, such as 8GB'),
    'min-size': textOption('Models of at least this size'),
    between: textOption('Only at this time of day, such as 22:00-06:00, in local time [always]'),
    days: textOption('Only when that begins on these days, such as mon-fri or sat,sun [every day]'),
    priority: {
      choices: PRIORITY_CHOICES,
      default: 'low',
      describe: 'How its transfers stand to others of this machine',
    },
    'max-models': { type: 'number', describe: 'Models that it fetches in all, at most 1000 [100]' },
  },
  examples: [
    ['$0 mesh prefetch add --tag mouse', 'whatever has this tag'],
    ['$0 mesh prefetch add --type gguf --max-size 8GB --between 22:00-06:00 --days mon-fri', 'at night'],
    ["$0 mesh prefetch add --name 'acme/*'", 'by name'],
  ],
  async run(context, { mesh, between, days, minSize, maxSize, maxModels, ...given }) {
    const { addPrefetchRule, DEFAULT_MAX_MODELS, MOST_MAX_MODELS, parseBetween, parseDays } = await import(
      '@model-rtc/mesh'
    );
    const { type, tag, name, priority } = given;
    if ([type, tag, name, minSize, maxSize].every((one) => one === undefined)) throw noFilter();
    const count = maxModels ?? DEFAULT_MAX_MODELS;
    if (!Number.isInteger(count) || count < 1 || count > MOST_MAX_MODELS) throw badCount();
    for (const [option, text] of Object.entries({ type, tag, name })) if (text !== undefined) checkText(option, text);
    const [minBytes, maxBytes] = [sizeOf(minSize, '--min-size'), sizeOf(maxSize, '--max-size')];
    if (minBytes !== undefined && maxBytes !== undefined && minBytes > maxBytes) throw badSizes();
    const wanted = {
      ...{ type, tag, name, minBytes, maxBytes, priority, maxModels: count },
      between: between === undefined ? undefined : parseBetween(between),
      days: days === undefined ? undefined : [...parseDays(days)],
    };
    const { paths } = await context.registry();
    const added = await addPrefetchRule({ root: paths.root, mesh, log: context.log }, wanted);
    const { rule } = added;
    const fitting = await fittingModels(context, added.mesh, rule);
    const text = `Added the rule ${rule.id} to the mesh ${added.mesh}: ${whichText(rule)}, ${whenText(rule)}.`;
    context.output.result({ mesh: added.mesh, rule, fitting: fitting.length }, printable(text));
    await noteFitting(context, rule, fitting);
  },
});

const list = defineCommand({
  usage: 'list',
  describe: 'List the prefetch rules, what each fetched last and what it waits for',
  options: { ...meshOption, all: flagOption('Every model that each rule fetched, or will not fetch again') },
  examples: [['$0 mesh prefetch list --json', 'for a script: everything that it fetched']],
  async run(context, { mesh, all }) {
    const { prefetchRules, scheduleAt } = await import('@model-rtc/mesh');
    const { paths } = await context.registry();
    const rules = await prefetchRules({ root: paths.root, mesh, log: context.log });
    const isRunning = await hasWorker(context);
    const now = new Date();
    const waitsOf = (listed: ListedRule): string => waitsText(listed, scheduleAt(listed.rule, now), isRunning);
    const table = renderTable(
      rules,
      [
        { title: 'RULE', value: ({ rule }) => rule.id, isWhole: true },
        { title: 'WHICH', value: ({ rule }) => printable(whichText(rule)) },
        { title: 'WHEN', value: ({ rule }) => whenText(rule), optional: 2 },
        { title: 'PRIORITY', value: ({ rule }) => rule.priority, optional: 3 },
        { title: 'LAST FETCHED', value: ({ progress }) => printable(lastText(progress)), optional: 1 },
        { title: 'WAITS FOR', value: (listed) => printable(waitsOf(listed)) },
      ],
      context.output.columns,
    );
    const lines = all ? rules.flatMap(doneLines) : [];
    const data = rules.map((listed) => ({ ...listed, waitsFor: waitsOf(listed) }));
    context.output.result({ rules: data }, rules.length === 0 ? '' : [table, ...lines].join('\n'));
    if (rules.length === 0) context.output.note('There are no prefetch rules. Add one: model-rtc mesh prefetch add');
  },
});

const remove = defineCommand({
  usage: 'remove <rule>',
  describe: 'Remove a prefetch rule, and what it fetches now; the models that it fetched stay',
  positionals: { rule: requiredText('Its id, or the start of it', { completes: 'prefetch-rules' }) },
  options: { ...meshOption },
  examples: [['$0 mesh prefetch remove 3fa9', 'the one whose id begins so']],
  async run(context, { rule: id, mesh }) {
    const { removePrefetchRule } = await import('@model-rtc/mesh');
    const { paths } = await context.registry();
    const rule = await removePrefetchRule({ root: paths.root, mesh, log: context.log }, id);
    context.output.result({ rule }, `Removed the rule ${rule.id}: ${printable(whichText(rule))}. Its models stay.`);
  },
});

/** Rules by which a machine fetches models before anybody asks. */
export const prefetch: CommandGroup = {
  name: 'prefetch',
  describe: "Rules by which this machine's worker fetches models before anybody asks",
  commands: [add, list, remove],
  examples: [['$0 mesh prefetch add --tag mouse --between 22:00-06:00', 'at night']],
};

/** What of the mesh fits now and is not here, as far as this machine knows it. */
async function fittingModels(context: Context, name: string, rule: PrefetchRule): Promise<MeshModelHolders[]> {
  const { wantsModel } = await import('@model-rtc/mesh');
  await using mesh = await openNamedMesh(context, name);
  const models = await mesh.models();
  return models.filter((model) => wantsModel(rule, model) && !model.holders.some(({ node }) => node.isSelf));
}

async function noteFitting(context: Context, rule: PrefetchRule, fitting: readonly MeshModelHolders[]) {
  const { output } = context;
  const size = formatBytes(fitting.reduce((sum, { model }) => sum + model.sizeBytes, 0));
  const what = `Known now that fit and are not here: ${formatCount(fitting.length, 'model')}, ${size}.`;
  if (fitting.length > rule.maxModels)
    output.note(`${what} The rule fetches ${rule.maxModels}, the smallest first. Narrow it, or pass --max-models.`);
  else if (fitting.length > 0) output.note(what);
  else output.note('No model that fits is known now and missing here. The rule waits for one.');
  if (!(await hasWorker(context))) output.note('Start the worker, which follows the rules: model-rtc worker');
}

async function hasWorker(context: Context): Promise<boolean> {
  const { readWorkerStatus } = await import('@model-rtc/worker');
  const { paths } = await context.registry();
  return (await readWorkerStatus(paths.root).catch(() => undefined)) !== undefined;
}

function doneLines({ rule, progress }: ListedRule): string[] {
  const words = { fetched: 'fetched', cancelled: 'cancelled', refused: 'refused', gave_up: 'given up' };
  return progress.done.map(({ digest, name, outcome, why }) =>
    printable(`${rule.id}  ${words[outcome]} ${name} (${digest.slice(0, 8)})${why === undefined ? '' : `: ${why}`}`),
  );
}

function sizeOf(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : parseSize(text, option);
}

const MAX_TEXT_CHARS = 256;

function checkText(option: string, text: string): void {
  if (text.length > 0 && text.length <= MAX_TEXT_CHARS) return;
  throw new ModelRtcError('bad_argument', `--${option} takes 1 to ${MAX_TEXT_CHARS} characters.`);
}

function noFilter(): ModelRtcError {
  const sentence =
    "Say which models: pass --type, --tag, --name, --min-size or --max-size. For all of them: --name '*'.";
  return new ModelRtcError('bad_argument', sentence);
}

function badCount(): ModelRtcError {
  return new ModelRtcError('bad_argument', '--max-models takes a whole number from 1 to 1000.');
}

function badSizes(): ModelRtcError {
  return new ModelRtcError('bad_argument', '--min-size is larger than --max-size: no model fits.');
}
