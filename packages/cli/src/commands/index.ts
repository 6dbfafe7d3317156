import { type CommandGroup, PROGRAM } from '../command-line/types.ts';
import { cleanModels } from './client/clean-models.ts';
import { compareModels } from './client/compare-models/command.ts';
import { deleteModel } from './client/delete-model.ts';
import { exportModel } from './client/export-model.ts';
import { history } from './client/history.ts';
import { importModel } from './client/import-model/command.ts';
import { lineage } from './client/lineage.ts';
import { listModels } from './client/list-models.ts';
import { modelInfo } from './client/model-info/command.ts';
import { pullModel } from './client/pull-model.ts';
import { pushModel } from './client/push-model.ts';
import { repairModel } from './client/repair-model.ts';
import { rollback } from './client/rollback.ts';
import { sync } from './client/sync.ts';
import { tagModel, untagModel } from './client/tag-model.ts';
import { updateModel } from './client/update-model.ts';
import { verify } from './client/verify/command.ts';
import { workers } from './client/workers.ts';
import { completion } from './completion/command.ts';
import { demo } from './demo/command.ts';
import { jobs } from './jobs/group.ts';
import { models } from './models/group.ts';
import { settings } from './settings.ts';
import { signaling } from './signaling.ts';
import { track } from './track/command.ts';
import { listWorkerModels } from './worker/list-models.ts';
import { runners } from './worker/runners.ts';
import { sessions } from './worker/sessions.ts';
import { start } from './worker/start.ts';
import { status } from './worker/status.ts';

const worker: CommandGroup = {
  name: 'worker',
  describe: "Serve this machine's models, or list those of another worker",
  commands: [start, listWorkerModels, runners, sessions, status],
  examples: [],
};

const client: CommandGroup = {
  name: 'client',
  describe: "Manage this machine's models, and exchange models with workers",
  commands: [
    ...[cleanModels, compareModels, deleteModel, exportModel, history, importModel, lineage, listModels, modelInfo],
    ...[pullModel, pushModel, repairModel, rollback, sync, tagModel, untagModel, updateModel, verify, workers],
  ],
  examples: [
    ['$0 client import-model ./runs/mouse', 'register a model'],
    ['$0 client pull-model good-mouse-v1 --worker lab', 'fetch one'],
  ],
};

/** All commands: the parser, the reference page and the completion of shells are made from them. */
export const COMMANDS: CommandGroup = {
  name: PROGRAM,
  describe: 'Moves machine-learning models directly between two machines.',
  commands: [worker, client, track, jobs, models, signaling, settings, completion, demo],
  examples: [
    ['$0 worker', 'serve the models of this machine, and print a session'],
    ['$0 client pull-model good-mouse-v1 --worker SESSION', 'fetch a model'],
    ['$0 client push-model legacy-rat --worker SESSION', 'send a model'],
    ['$0 track --model good-mouse-v1 --data clip.mp4 --worker SESSION', 'run a model there'],
  ],
};
