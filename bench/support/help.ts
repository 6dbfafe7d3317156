import type { Benchmark } from './benchmark.ts';

type Named = Pick<Benchmark, 'name' | 'title'>;

/** What `--help` prints. */
export function usage(benchmarks: readonly Named[]): string {
  return `Measures model-rtc, each figure beside a baseline of the same run, and keeps the outcomes in bench/results.json.

  npm run bench -- [NAME...]

Names (all of them, when none is given):
${renderList(benchmarks)}

Options:
  --quick     small sizes, to see that everything runs; the figures mean nothing and are not kept
  --list      only list the names
  -h, --help  show this

Exits 0 when everything was measured and reaches what is required, 1 when not, 2 for a name that does not exist.
The wan benchmarks and swarm need root and a few Debian packages; bench/README.md says which.`;
}

/** A line for each benchmark. */
export function renderList(benchmarks: readonly Named[]): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length));
  return benchmarks.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n');
}
