import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';
import { addWorkerListModelsCommand } from './list-models.ts';
import { addSessionsCommands } from './sessions.ts';
import { addStartCommand } from './start.ts';

export function addWorkerCommands(parser: CommandParser, invocation: Invocation): void {
  parser.command('worker', "Serve this machine's models, or ask a worker for its own", (worker) => {
    addStartCommand(worker, invocation);
    addWorkerListModelsCommand(worker, invocation);
    addSessionsCommands(worker, invocation);
    return worker.strict().recommendCommands();
  });
}
