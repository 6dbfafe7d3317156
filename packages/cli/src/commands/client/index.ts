import type { CommandGroup } from '../../command-line/types.ts';
import { cleanModels } from './clean-models/command.ts';
import { compareModels } from './compare-models/command.ts';
import { deleteModel } from './delete-model.ts';
import { exportModel } from './export-model.ts';
import { history } from './history.ts';
import { importModel } from './import-model.ts';
import { lineage } from './lineage.ts';
import { listModels } from './list-models.ts';
import { modelInfo } from './model-info/command.ts';
import { pullModel } from './pull-model.ts';
import { pushModel } from './push-model.ts';
import { repairModel } from './repair-model.ts';
import { rollback } from './rollback.ts';
import { sync } from './sync.ts';
import { tagModel } from './tag-model.ts';
import { untagModel } from './untag-model.ts';
import { updateModel } from './update-model.ts';
import { verify } from './verify/command.ts';
import { workers } from './workers.ts';

export const client: CommandGroup = {
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
