/** `npm run chaos -- [--minutes 1] [--seed N] [--from N] [--rounds N]`: kills processes while models move, and prints what broke. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { roundOf, runRound } from './chaos.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    rounds: { type: 'string' },
  },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const mostRounds = values.rounds === undefined ? Number.POSITIVE_INFINITY : Number(values.rounds);
const untilMs = performance.now() + Number(values.minutes) * 60_000;
process.stdout.write(`seed ${seed}\n`);
let [rounds, kills, resumed, faults] = [0, 0, 0, 0];
for (; rounds < mostRounds && (values.rounds !== undefined || performance.now() < untilMs); rounds++) {
  const number = Number(values.from) + rounds;
  const round = roundOf(seed, number);
  const name = `${round.way} over ${round.lane}`;
  try {
    const result = await runRound(round);
    kills += result.kills.length;
    resumed += result.resumed ? 1 : 0;
    process.stdout.write(
      `${name}: killed ${result.kills.join(', ') || 'nothing in time'}${result.resumed ? '; resumed' : ''}\n`,
    );
  } catch (error) {
    faults += 1;
    const text = error instanceof Error ? error.stack : String(error);
    process.stdout.write(
      `\n${name}: fault, again by: npm run chaos -- --seed ${seed} --from ${number} --rounds 1\n${text}\n\n`,
    );
  }
}
process.stdout.write(`${rounds} rounds, ${kills} kills, ${resumed} resumed, ${faults} faults\n`);
process.exitCode = faults === 0 ? 0 : 1;
