import { type ArgumentSpecs, textOption } from '../../command-line/types.ts';
import { networkOptions, workerOption } from '../options.ts';

export const jobsOptions = { worker: workerOption, ...networkOptions } as const satisfies ArgumentSpecs;

/** A job of the session. */
export const jobArgument = textOption('Its id, or the start of it [the one that has not ended, else the newest]');
