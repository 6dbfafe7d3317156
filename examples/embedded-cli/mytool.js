#!/usr/bin/env node
import { createModelsCommand } from '@model-rtc/model-manager';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';

await yargs(hideBin(process.argv))
  .scriptName('mytool')
  .command(createModelsCommand({ appName: 'mytool', registryUrl: 'https://models.example.org' }))
  .demandCommand(1)
  .parseAsync();
