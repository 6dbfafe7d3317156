import { ModelRtcError } from '@model-rtc/protocol';
import type { SeenWorker } from '@model-rtc/registry';
import { type CommandGroup, defineCommand, requiredText, textOption } from '../../command-line/types.ts';
import { formatCount, formatTime } from '../../console/format.ts';
import type { SavedWorker } from '../../console/saved-workers.ts';
import { sessionToken } from '../../console/session-argument.ts';
import { renderTable } from '../../console/table.ts';
import { rememberedWorker, SHOWN_KEY_CHARS } from './remembered.ts';

const add = defineCommand({
  usage: 'add <name> [session]',
  describe: 'Save a session; every option that takes a session accepts its name',
  positionals: {
    name: requiredText('Its name here'),
    session: textOption('A token or @FILE', { env: 'MODEL_RTC_SESSION' }),
  },
  examples: [['$0 client workers add lab @session.txt', 'save a session as "lab"']],
  async run(context, { name, session }) {
    const { SavedWorkers } = await import('../../console/saved-workers.ts');
    const { encodeSessionToken } = await import('@model-rtc/protocol');
    if ((session ?? context.runtime.env.MODEL_RTC_SESSION ?? '').trim() === '') {
      const sentence = 'Which session? Pass a token or @FILE after the name, or set MODEL_RTC_SESSION.';
      throw new ModelRtcError('bad_argument', sentence);
    }
    const token = await sessionToken(context, session);
    (await SavedWorkers.open(context.home)).add(name, encodeSessionToken(token));
    context.output.result({ name }, `Saved as "${name}". Try: model-rtc worker list-models --session ${name}`);
  },
});

interface Row {
  readonly name: string;
  readonly saved: SavedWorker | undefined;
  readonly remembered: SeenWorker | undefined;
}

/** One line for each saved session, then one for each worker that was only asked with a token. */
function rowsOf(saved: readonly SavedWorker[], remembered: readonly SeenWorker[]): Row[] {
  const byKey = new Map(remembered.map((seen) => [seen.key, seen]));
  const keys = new Set(saved.map(({ workerKey }) => workerKey));
  const others = remembered.filter(({ key }) => !keys.has(key));
  return [
    ...saved.map((worker) => ({ name: worker.name, saved: worker, remembered: byKey.get(worker.workerKey) })),
    ...others.map((seen) => ({ name: seen.name, saved: undefined, remembered: seen })),
  ];
}

function rememberedText({ remembered }: Row): string {
  if (remembered === undefined) return '';
  return `${formatCount(remembered.models.length, 'model')}, ${formatTime(remembered.seenAt)}`;
}

const list = defineCommand({
  usage: 'list',
  describe: 'List the saved sessions, without their secrets, and the workers whose models are remembered',
  examples: [['$0 client workers list', 'name, scopes, expiry, and what is remembered']],
  async run(context) {
    const { SavedWorkers } = await import('../../console/saved-workers.ts');
    const workers = (await SavedWorkers.open(context.home)).list();
    const remembered = await (await context.registry()).seenWorkers();
    const rows = rowsOf(workers, remembered);
    if (rows.length === 0)
      context.output.note('No workers are saved. Save one: model-rtc client workers add NAME SESSION');
    const text = renderTable(
      rows,
      [
        { title: 'NAME', value: ({ name }) => name },
        { title: 'SAVED', value: ({ saved }) => (saved === undefined ? 'no' : 'yes') },
        { title: 'SCOPES', value: ({ saved }) => saved?.scopes.join(',') ?? '' },
        { title: 'EXPIRES', value: ({ saved }) => (saved === undefined ? '' : formatTime(saved.expiresAt) || 'never') },
        { title: 'REMEMBERED', value: rememberedText, optional: 1 },
        { title: 'KEY', value: workerKeyOf, isWhole: true, optional: 2 },
        { title: 'KEY ID', value: ({ saved }) => saved?.keyId ?? '', isWhole: true, optional: 4 },
        { title: 'ADDRESSES', value: ({ saved }) => saved?.urls.join(' ') ?? '', optional: 3 },
      ],
      context.output.columns,
    );
    const known = remembered.map(({ models, ...worker }) => ({ ...worker, models: models.length }));
    context.output.result({ workers, remembered: known }, rows.length === 0 ? '' : text);
  },
});

function workerKeyOf({ saved, remembered }: Row): string {
  return (saved?.workerKey ?? remembered?.key ?? '').slice(0, SHOWN_KEY_CHARS);
}

const remove = defineCommand({
  usage: 'remove <name>',
  describe: 'Remove a saved session from this machine, and forget what its worker had',
  positionals: {
    name: requiredText('Its name here, or the name or key of a worker that is remembered', { completes: 'workers' }),
  },
  examples: [
    ['$0 client workers remove lab', 'remove "lab"; the session itself stays valid'],
    ['$0 client workers remove 4f1c22ab', 'forget a worker by its key'],
  ],
  async run(context, { name }) {
    const { SavedWorkers } = await import('../../console/saved-workers.ts');
    const file = await SavedWorkers.open(context.home);
    const registry = await context.registry();
    const saved = file.list().find((worker) => worker.name === name);
    const remembered = saved === undefined ? await rememberedWorker(registry, name) : undefined;
    // Says that there is none of that name.
    if (remembered === undefined) file.remove(name);
    const key = saved?.workerKey ?? remembered?.key ?? '';
    // Another saved session may lead to the same worker.
    const isStillSaved = file.list().some(({ workerKey }) => workerKey === key);
    const isForgotten = !isStillSaved && (await registry.forgetWorker(key));
    const text = isForgotten ? ' What its worker had is forgotten; a command that asks it remembers it again.' : '';
    context.output.result({ name, forgotten: isForgotten }, `Removed "${name}".${text}`);
  },
});

/** The sessions that this machine keeps under names of its own. */
export const workers: CommandGroup = {
  name: 'workers',
  describe: 'Save sessions under short names, and forget workers',
  commands: [add, list, remove],
  examples: [['$0 client workers add lab @session.txt', 'save a session as "lab"']],
};
