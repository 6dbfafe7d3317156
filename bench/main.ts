/**
 * Runs the benchmarks that are named, or all of them, prints a table and keeps each outcome in bench/results.json. What
 * fails is reported as a row with its reason, and the others go on.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bridge } from './benchmarks/bridge.ts';
import { convert } from './benchmarks/convert.ts';
import { direct } from './benchmarks/direct.ts';
import { fineTune } from './benchmarks/fine-tune.ts';
import { firstChunk } from './benchmarks/first-chunk.ts';
import { hub } from './benchmarks/hub.ts';
import { importHashing } from './benchmarks/import-hashing.ts';
import { jobs } from './benchmarks/jobs.ts';
import { manifests } from './benchmarks/manifests.ts';
import { memory } from './benchmarks/memory.ts';
import { mesh } from './benchmarks/mesh.ts';
import { registry } from './benchmarks/registry.ts';
import { relay } from './benchmarks/relay.ts';
import { resume } from './benchmarks/resume.ts';
import { staticRegistry } from './benchmarks/static.ts';
import { swarm } from './benchmarks/swarm.ts';
import { threeWorkers } from './benchmarks/three-workers.ts';
import { throughput } from './benchmarks/throughput.ts';
import { verify } from './benchmarks/verify.ts';
import { wan } from './benchmarks/wan.ts';
import { wanCompression } from './benchmarks/wan-compression.ts';
import { wanLoss } from './benchmarks/wan-loss.ts';
import { type Benchmark, reaches, rowsOrFailure } from './support/benchmark.ts';
import { renderList, usage } from './support/help.ts';
import { type Outcome, renderTable, withOutcome } from './support/report.ts';

const BENCHMARKS: readonly Benchmark[] = [
  throughput,
  direct,
  relay,
  memory,
  firstChunk,
  importHashing,
  verify,
  registry,
  manifests,
  wan,
  wanLoss,
  wanCompression,
  threeWorkers,
  fineTune,
  resume,
  staticRegistry,
  hub,
  bridge,
  convert,
  jobs,
  mesh,
  swarm,
];
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));

const OPTIONS = {
  quick: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
if (values.help === true) console.log(usage(BENCHMARKS));
else if (values.list === true) console.log(renderList(BENCHMARKS));
else await runAll(chosen(positionals), values.quick === true);

async function runAll(benchmarks: readonly Benchmark[], quick: boolean): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const { name, title, run } of benchmarks) {
    const rows = await rowsOrFailure(name, () => run({ quick }, (text) => console.error(`${name}: ${text}`)));
    outcomes.push({ name, title, rows });
    // At once: what was measured is not lost when a later one fails.
    if (!quick && rows.some(({ samples }) => samples.length > 0))
      await writeFile(RESULTS, withOutcome(await presentResults(), { name, title, rows }, new Date()));
  }
  console.log(renderTable(outcomes));
  if (quick) console.log('\n--quick: the sizes are too small for the numbers to mean anything; they are not kept.');
  const rows = outcomes.flatMap((outcome) => outcome.rows);
  const isMissed = !quick && rows.some((row) => reaches(row) === false);
  process.exitCode = isMissed || rows.some(({ failed }) => failed !== undefined) ? 1 : 0;
  // What a baseline that hung still holds must not keep the process.
  process.exit();
}

function presentResults(): Promise<string | undefined> {
  return readFile(RESULTS, 'utf8').catch(() => undefined);
}

function chosen(names: readonly string[]): readonly Benchmark[] {
  const unknown = names.filter((name) => BENCHMARKS.every((benchmark) => benchmark.name !== name));
  if (unknown.length > 0) {
    console.error(`There is no benchmark named ${unknown.join(', ')}. Choose from:\n\n${renderList(BENCHMARKS)}`);
    process.exit(2);
  }
  return names.length === 0 ? BENCHMARKS : BENCHMARKS.filter(({ name }) => names.includes(name));
}
