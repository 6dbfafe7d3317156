import { type Command, type CommandGroup, type Described, PROGRAM } from '../command-line/types.ts';

type Load = () => Promise<Command | CommandGroup>;

/** A group whose commands are loaded when they are needed, by the names that they have in the group. */
interface LazyGroup extends Described {
  readonly name: string;
  readonly commands: Readonly<Record<string, Load | LazyGroup>>;
}

const worker: LazyGroup = {
  name: 'worker',
  describe: "Serve this machine's models, or list those of another worker",
  commands: {
    start: async () => (await import('./worker/start.ts')).start,
    'list-models': async () => (await import('./worker/list-models.ts')).listWorkerModels,
    runners: async () => (await import('./worker/runners.ts')).runners,
    sessions: async () => (await import('./worker/sessions.ts')).sessions,
    status: async () => (await import('./worker/status.ts')).status,
  },
  examples: [],
};

const client: LazyGroup = {
  name: 'client',
  describe: "Manage this machine's models, and exchange models with workers",
  commands: {
    'clean-models': async () => (await import('./client/clean-models.ts')).cleanModels,
    'compare-models': async () => (await import('./client/compare-models/command.ts')).compareModels,
    'delete-model': async () => (await import('./client/delete-model.ts')).deleteModel,
    'export-model': async () => (await import('./client/export-model.ts')).exportModel,
    history: async () => (await import('./client/history.ts')).history,
    'import-model': async () => (await import('./client/import-model/command.ts')).importModel,
    lineage: async () => (await import('./client/lineage.ts')).lineage,
    'list-models': async () => (await import('./client/list-models.ts')).listModels,
    'model-info': async () => (await import('./client/model-info/command.ts')).modelInfo,
    pin: async () => (await import('./client/pin.ts')).pin,
    'pull-model': async () => (await import('./client/pull-model.ts')).pullModel,
    'push-model': async () => (await import('./client/push-model.ts')).pushModel,
    'repair-model': async () => (await import('./client/repair-model.ts')).repairModel,
    rollback: async () => (await import('./client/rollback.ts')).rollback,
    sync: async () => (await import('./client/sync.ts')).sync,
    'tag-model': async () => (await import('./client/tag-model.ts')).tagModel,
    'untag-model': async () => (await import('./client/tag-model.ts')).untagModel,
    unpin: async () => (await import('./client/pin.ts')).unpin,
    update: async () => (await import('./client/update.ts')).update,
    'update-model': async () => (await import('./client/update-model.ts')).updateModel,
    validate: async () => (await import('./client/validate/command.ts')).validate,
    verify: async () => (await import('./client/verify/command.ts')).verify,
    workers: async () => (await import('./client/workers.ts')).workers,
  },
  examples: [
    ['$0 client import-model ./runs/mouse', 'register a model'],
    ['$0 client pull-model good-mouse-v1 --worker lab', 'fetch one'],
  ],
};

const ALL: LazyGroup = {
  name: PROGRAM,
  describe: 'Moves machine-learning models directly between two machines.',
  commands: {
    worker,
    client,
    catalog: async () => (await import('./catalog/group.ts')).catalog,
    track: async () => (await import('./track/command.ts')).track,
    jobs: async () => (await import('./jobs/group.ts')).jobs,
    transfers: async () => (await import('./transfers/group.ts')).transfers,
    models: async () => (await import('./models/group.ts')).models,
    mesh: async () => (await import('./mesh/group.ts')).mesh,
    signaling: async () => (await import('./signaling.ts')).signaling,
    settings: async () => (await import('./settings.ts')).settings,
    completion: async () => (await import('./completion/command.ts')).completion,
    demo: async () => (await import('./demo/command.ts')).demo,
  },
  examples: [
    ['$0 worker', 'serve the models of this machine, and print a session'],
    ['$0 client pull-model good-mouse-v1 --worker SESSION', 'fetch a model'],
    ['$0 client push-model legacy-rat --worker SESSION', 'send a model'],
    ['$0 track --model good-mouse-v1 --data clip.mp4 --worker SESSION', 'run a model there'],
  ],
};

/**
 * The commands: the parser, the reference page and the completion of shells are made from them. Loading all takes longer than many
 * commands take to run, so only those are loaded that the arguments can mean.
 *
 * @param args - the words after the program's name; without them, all commands are loaded.
 */
export async function loadCommands(args: readonly string[] = []): Promise<CommandGroup> {
  const firstOption = args.findIndex((arg) => arg.startsWith('-'));
  return await loadGroup(ALL, firstOption === -1 ? args : args.slice(0, firstOption));
}

/** Of a group in which the first word names a command, that command alone. */
async function loadGroup(
  { commands, ...group }: LazyGroup,
  [word, ...words]: readonly string[],
): Promise<CommandGroup> {
  const named = word !== undefined && Object.hasOwn(commands, word) ? commands[word] : undefined;
  const chosen = named === undefined ? Object.values(commands) : [named];
  const load = async (one: Load | LazyGroup) => (typeof one === 'function' ? await one() : await loadGroup(one, words));
  return { ...group, commands: await Promise.all(chosen.map(load)) };
}
