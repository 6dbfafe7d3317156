import { ModelRtcError } from '@model-rtc/protocol';
import { type CommandGroup, defineCommand } from '../../command-line/types.ts';
import { formatTime } from '../../console/format.ts';
import { sessionToken } from '../../console/session-argument.ts';
import { renderTable } from '../../console/table.ts';

const add = defineCommand({
  usage: 'add <name> [session]',
  describe: 'Save a session; every option that takes a session accepts its name',
  positionals: {
    name: { type: 'string', demandOption: true, describe: 'Its name here' },
    session: { type: 'string', describe: 'A token or @FILE', env: 'MODEL_RTC_SESSION' },
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

const list = defineCommand({
  usage: 'list',
  describe: 'List the saved sessions, without their secrets',
  examples: [['$0 client workers list', 'name, addresses, scopes and expiry']],
  async run(context) {
    const { SavedWorkers } = await import('../../console/saved-workers.ts');
    const workers = (await SavedWorkers.open(context.home)).list();
    if (workers.length === 0)
      context.output.note('No workers are saved. Save one: model-rtc client workers add NAME SESSION');
    const text = renderTable(
      workers,
      [
        { title: 'NAME', value: (worker) => worker.name },
        { title: 'SCOPES', value: (worker) => worker.scopes.join(',') },
        { title: 'EXPIRES', value: (worker) => formatTime(worker.expiresAt) || 'never' },
        { title: 'KEY ID', value: (worker) => worker.keyId, isWhole: true, optional: 2 },
        { title: 'ADDRESSES', value: (worker) => worker.urls.join(' '), optional: 1 },
      ],
      context.output.columns,
    );
    context.output.result({ workers }, workers.length === 0 ? '' : text);
  },
});

const remove = defineCommand({
  usage: 'remove <name>',
  describe: 'Remove a saved session from this machine',
  positionals: { name: { type: 'string', demandOption: true, describe: 'Its name here', completes: 'workers' } },
  examples: [['$0 client workers remove lab', 'remove "lab"; the session itself stays valid']],
  async run(context, { name }) {
    const { SavedWorkers } = await import('../../console/saved-workers.ts');
    (await SavedWorkers.open(context.home)).remove(name);
    context.output.result({ name }, `Removed "${name}".`);
  },
});

/** The sessions that this machine keeps under names of its own. */
export const workers: CommandGroup = {
  name: 'workers',
  describe: 'Save sessions under short names',
  commands: [add, list, remove],
  examples: [['$0 client workers add lab @session.txt', 'save a session as "lab"']],
};
