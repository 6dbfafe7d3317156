/** Prints, for each minute from a time on, when a schedule opens and closes. Its time zone is that of the environment. */
import { scheduleAt } from '../../src/policy/prefetch/schedule.ts';

const [from, until, between, days] = process.argv.slice(2);
const schedule = { between: between === '-' ? undefined : between, days: days?.split(',') as never };
let wasOpen: boolean | undefined;
for (let ms = Date.parse(from as string); ms <= Date.parse(until as string); ms += 60_000) {
  const now = new Date(ms);
  const { isOpen, until: change } = scheduleAt(schedule, now);
  if (isOpen === wasOpen) continue;
  wasOpen = isOpen;
  console.info(`${now.toISOString()} ${isOpen ? 'open' : 'closed'} until ${change?.toISOString() ?? 'ever'}`);
}
