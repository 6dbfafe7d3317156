/** `npm run fuzz -- [--seconds 60] [--seed N] [--inputs N] [--target NAME]`: reads changed inputs with every reader, and prints what broke. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Fault, fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    inputs: { type: 'string' },
    target: { type: 'string' },
  },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0) {
  process.stderr.write(
    `There is no target ${values.target}. There are: ${TARGETS.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}
process.stdout.write(`seed ${seed}\n`);
const faults: Fault[] = [];
for (const target of targets) {
  const untilMs = performance.now() + (Number(values.seconds) * 1000) / targets.length;
  const inputs = values.inputs === undefined ? undefined : Number(values.inputs);
  const report = await fuzz(target, { seed, inputs, untilMs });
  faults.push(...report.faults);
  const slowest = `slowest ${Math.round(report.slowestMs)} ms`;
  process.stdout.write(`${report.target}: ${report.inputs} inputs, ${slowest}, ${report.faults.length} faults\n`);
}
const { rss } = process.memoryUsage();
process.stdout.write(`memory at the end ${Math.round(rss / 1e6)} MB\n`);
for (const { target, seed: own, input, error } of faults) {
  const hex = Buffer.from(input.subarray(0, 4096)).toString('hex');
  process.stdout.write(`\n${target}, again by: npm run fuzz -- --target ${target} --seed ${own} --inputs 1\n`);
  process.stdout.write(`${error instanceof Error ? error.stack : String(error)}\n${hex}\n`);
}
process.exitCode = faults.length === 0 ? 0 : 1;
