import { describe, expect, it } from '@jest/globals';
import { startChild } from '../../../../../test/support/script-child.ts';

/** When a schedule opens and closes in a time zone, which a process has from its start. */
async function changes(zone: string, ...args: readonly string[]): Promise<string[]> {
  const child = startChild(new URL('../../children/schedule.ts', import.meta.url), args, { TZ: zone });
  const { output } = await child.ended;
  return output.trim().split('\n');
}

describe('the schedule of a prefetch rule where clocks change', () => {
  it('is an hour shorter in the night in which an hour is missing', async () => {
    // Berlin: from 2 to 3 o'clock on 29 March 2026.
    expect(await changes('Europe/Berlin', '2026-03-28T12:00Z', '2026-03-29T12:00Z', '22:00-06:00')).toEqual([
      '2026-03-28T12:00:00.000Z closed until 2026-03-28T21:00:00.000Z',
      '2026-03-28T21:00:00.000Z open until 2026-03-29T04:00:00.000Z',
      '2026-03-29T04:00:00.000Z closed until 2026-03-29T20:00:00.000Z',
    ]);
  });

  it('is an hour longer in the night in which an hour comes twice', async () => {
    expect(await changes('Europe/Berlin', '2026-10-24T12:00Z', '2026-10-25T12:00Z', '22:00-06:00')).toEqual([
      '2026-10-24T12:00:00.000Z closed until 2026-10-24T20:00:00.000Z',
      '2026-10-24T20:00:00.000Z open until 2026-10-25T05:00:00.000Z',
      '2026-10-25T05:00:00.000Z closed until 2026-10-25T21:00:00.000Z',
    ]);
  });

  it('begins an hour later where its time is missing, and once where it comes twice', async () => {
    expect(await changes('Europe/Berlin', '2026-03-29T00:00Z', '2026-03-29T12:00Z', '02:10-02:50')).toEqual([
      '2026-03-29T00:00:00.000Z closed until 2026-03-29T01:10:00.000Z',
      '2026-03-29T01:10:00.000Z open until 2026-03-29T01:50:00.000Z',
      '2026-03-29T01:50:00.000Z closed until 2026-03-30T00:10:00.000Z',
    ]);
    expect(await changes('Europe/Berlin', '2026-10-24T23:00Z', '2026-10-25T12:00Z', '02:10-02:50')).toHaveLength(3);
  });
});
