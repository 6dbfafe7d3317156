import type { ModelsArgument, ModelsArguments } from './types.ts';

export const modelArgument = {
  type: 'string',
  demandOption: true,
  describe: 'GROUP/MODEL',
  completes: 'releases',
} as const satisfies ModelsArgument;

export const versionArgument = {
  type: 'string',
  demandOption: true,
  describe: 'A version, or an alias such as latest',
  completes: 'release-versions',
} as const satisfies ModelsArgument;

/** What a registry listed can be named as well. */
export const listedModel = { ...modelArgument, completes: 'listed-releases' } as const satisfies ModelsArgument;
export const listedVersion = {
  ...versionArgument,
  completes: 'listed-release-versions',
} as const satisfies ModelsArgument;

export const registryOption = {
  registry: {
    type: 'string',
    env: 'MODEL_RTC_REGISTRY_URL',
    describe: 'The static registry: an https://, http://, file:// or s3:// address',
  },
  'trust-key': {
    type: 'string',
    isRepeated: true,
    env: 'MODEL_RTC_TRUST_KEY',
    describe:
      "A publisher's key, or @FILE: pins it, so that nothing is taken from the registry that no pinned key signed",
  },
} as const satisfies ModelsArguments;
