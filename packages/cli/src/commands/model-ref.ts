import type { Argv } from 'yargs';

/** The positional with which a command names a model of this machine. */
export function refPositional<T>(parser: Argv<T>) {
  return parser.positional('ref', {
    type: 'string',
    demandOption: true,
    describe: 'An id, alias, digest prefix or path',
  });
}
