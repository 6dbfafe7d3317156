import { ModelRtcError } from '@model-rtc/protocol';

/** As `Date.getDay` counts them. */
export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Day = (typeof DAYS)[number];

/** `22:00-06:00`; `00:00-24:00` is a whole day. */
export const WINDOW = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

/** When something may run, in the machine's local time. */
export interface Schedule {
  readonly between?: string | undefined;
  /** The days on which it begins; every day when left out. */
  readonly days?: readonly Day[] | undefined;
}

export interface ScheduleState {
  readonly isOpen: boolean;
  /** When that changes; undefined for never. */
  readonly until: Date | undefined;
}

/** A window that began within this many days may be open still, and the next one begins within so many. */
const LOOK_BACK_DAYS = 1;
const LOOK_AHEAD_DAYS = 8;

/**
 * Whether a schedule lets something run, and when that changes. A window that ends before it begins goes on into the next day. Where a clock change
 * skips a time, the window begins or ends as much later; where one comes twice, the first counts. Windows that touch are one.
 */
export function scheduleAt({ between, days }: Schedule, now: Date): ScheduleState {
  if (between === undefined && days === undefined) return { isOpen: true, until: undefined };
  let openUntil: Date | undefined;
  for (let day = -LOOK_BACK_DAYS; day <= LOOK_AHEAD_DAYS; day++) {
    const { begins, ends } = windowOf(between ?? '00:00-24:00', now, day);
    const isNamed = days === undefined || days.includes(DAYS[begins.getDay()] as Day);
    if (!isNamed || ends <= now || ends <= begins) continue;
    if (openUntil !== undefined && begins > openUntil) break;
    if (openUntil === undefined && begins > now) return { isOpen: false, until: begins };
    openUntil = ends;
  }
  // Windows that follow each other for more than a week never end.
  const isForever = openUntil !== undefined && openUntil.getTime() - now.getTime() > 7 * 24 * 3_600_000 + 3_600_000;
  return { isOpen: openUntil !== undefined, until: isForever ? undefined : openUntil };
}

function windowOf(between: string, now: Date, day: number): { readonly begins: Date; readonly ends: Date } {
  const [, fromHour, fromMinute, toHour = '24', toMinute = '00'] = WINDOW.exec(between) ?? [];
  // The parts of a local time, so that days of 23 and 25 hours come out right.
  const at = (hour: string | undefined, minute: string | undefined, later: number): Date =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + day + later, Number(hour), Number(minute));
  const isOvernight = `${toHour}:${toMinute}` <= `${fromHour}:${fromMinute}`;
  return { begins: at(fromHour, fromMinute, 0), ends: at(toHour, toMinute, isOvernight ? 1 : 0) };
}

/** @throws ModelRtcError `bad_argument` */
export function parseBetween(given: string): string {
  const padded = given.trim().replace(/(^|-)(\d):/g, '$10$2:');
  const [begins, ends] = padded.split('-');
  if (WINDOW.test(padded) && begins !== ends) return padded;
  throw new ModelRtcError(
    'bad_argument',
    `"${given}" is not a time of day. Write it like 22:00-06:00, in this machine's local time.`,
  );
}

/** Days as people write them: `mon-fri`, `sat,sun`, `fri-mon`. @throws ModelRtcError `bad_argument` */
export function parseDays(given: string): readonly Day[] {
  const found = new Set<Day>();
  for (const part of given.toLowerCase().split(',')) {
    const [first, last, ...more] = part
      .trim()
      .split('-')
      .map((word) => DAYS.findIndex((day) => word === day || (word.length > 3 && LONG_DAYS[day] === word)));
    const end = last ?? first;
    if (first === undefined || end === undefined || first < 0 || end < 0 || more.length > 0) throw badDays(given);
    for (let day = first; ; day = (day + 1) % DAYS.length) {
      found.add(DAYS[day] as Day);
      if (day === end) break;
    }
  }
  return DAYS.filter((day) => found.has(day));
}

const LONG_DAYS: Readonly<Record<Day, string>> = {
  ...{ sun: 'sunday', mon: 'monday', tue: 'tuesday', wed: 'wednesday' },
  ...{ thu: 'thursday', fri: 'friday', sat: 'saturday' },
};

function badDays(given: string): ModelRtcError {
  return new ModelRtcError('bad_argument', `"${given}" names no days. Write them like mon-fri, or sat,sun.`);
}
