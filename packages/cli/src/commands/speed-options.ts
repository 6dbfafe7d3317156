import type { Argv } from 'yargs';

/** How one transfer treats the network. */
export function speedOptions<T>(parser: Argv<T>) {
  return parser
    .option('limit', { type: 'string', describe: 'Move at most so much a second, such as 20MB or 50Mbit' })
    .option('nice', { type: 'boolean', default: false, describe: 'Give way to other traffic of the network' })
    .option('compress', {
      choices: ['auto', 'off'] as const,
      default: 'auto' as const,
      describe: 'Compress where the path is slower than that',
    });
}
