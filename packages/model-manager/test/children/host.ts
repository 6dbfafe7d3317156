/** A program that mounts the commands: `host.ts yargs|commander REGISTRY FOLDER models ...`. */
import { Command } from 'commander';
import yargs from 'yargs';
import { addModelsCommand, createModelsCommand } from '../../src/index.ts';

const [parser, registryUrl, dataDir, ...args] = process.argv.slice(2);
const config = { appName: 'mytool', registryUrl, dataDir };
if (parser === 'commander') {
  const program = new Command('mytool');
  addModelsCommand(program, config);
  await program.parseAsync(args, { from: 'user' });
} else {
  await yargs(args).scriptName('mytool').command(createModelsCommand(config)).demandCommand(1).parseAsync();
}
