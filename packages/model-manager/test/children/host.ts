/** A program that mounts the commands: `host.ts yargs|commander REGISTRY FOLDER models ...`. HOST_TRUST_KEYS are the keys that it brings. */
import { Command } from 'commander';
import yargs from 'yargs';
import { addModelsCommand, createModelsCommand } from '../../src/index.ts';

const [parser, registryUrl, dataDir, ...args] = process.argv.slice(2);
const trustKeys = process.env.HOST_TRUST_KEYS?.split(',');
const config = { appName: 'mytool', registryUrl, dataDir, trustKeys };
if (parser === 'commander') {
  const program = new Command('mytool');
  addModelsCommand(program, config);
  await program.parseAsync(args, { from: 'user' });
} else {
  await yargs(args).scriptName('mytool').command(createModelsCommand(config)).demandCommand(1).parseAsync();
}
