import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';
import { addCleanModelsCommand } from './clean-models.ts';
import { addCompareModelsCommand } from './compare-models.ts';
import { addDeleteModelCommand } from './delete-model.ts';
import { addExportModelCommand } from './export-model.ts';
import { addHistoryCommand } from './history.ts';
import { addImportModelCommand } from './import-model.ts';
import { addLineageCommand } from './lineage.ts';
import { addListModelsCommand } from './list-models.ts';
import { addModelInfoCommand } from './model-info.ts';
import { addPullModelCommand } from './pull-model.ts';
import { addPushModelCommand } from './push-model.ts';
import { addRepairModelCommand } from './repair-model.ts';
import { addRollbackCommand } from './rollback.ts';
import { addSyncCommand } from './sync.ts';
import { addTagModelCommand } from './tag-model.ts';
import { addUntagModelCommand } from './untag-model.ts';
import { addUpdateModelCommand } from './update-model.ts';
import { addVerifyCommand } from './verify.ts';
import { addWorkersCommands } from './workers.ts';

export function addClientCommands(parser: CommandParser, invocation: Invocation): void {
  parser.command('client', "Work with this machine's models and with workers", (client) => {
    for (const add of [
      addCleanModelsCommand,
      addCompareModelsCommand,
      addDeleteModelCommand,
      addExportModelCommand,
      addHistoryCommand,
      addImportModelCommand,
      addLineageCommand,
      addListModelsCommand,
      addModelInfoCommand,
      addPullModelCommand,
      addPushModelCommand,
      addRepairModelCommand,
      addRollbackCommand,
      addSyncCommand,
      addTagModelCommand,
      addUntagModelCommand,
      addUpdateModelCommand,
      addVerifyCommand,
      addWorkersCommands,
    ]) {
      add(client, invocation);
    }
    return client
      .demandCommand(1, 'Say what to do, for example: model-rtc client list-models.')
      .example('$0 client import-model ./runs/mouse', 'register a model')
      .example('$0 client pull-model good-mouse-v1 --worker lab', 'fetch one')
      .strictCommands()
      .strict()
      .recommendCommands();
  });
}
