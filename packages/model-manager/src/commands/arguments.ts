import type { ModelsArgument, ModelsArguments } from './types.ts';

export const modelArgument = {
  type: 'string',
  demandOption: true,
  describe: 'GROUP/MODEL',
} as const satisfies ModelsArgument;

export const versionArgument = {
  type: 'string',
  demandOption: true,
  describe: 'A version, or an alias such as latest',
} as const satisfies ModelsArgument;

export const registryOption = {
  registry: {
    type: 'string',
    env: 'MODEL_RTC_REGISTRY_URL',
    describe: 'The static registry: an https://, http://, file:// or s3:// address',
  },
} as const satisfies ModelsArguments;
