import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { rejection } from '../../../../../test/support/rejection.ts';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { Attempts, type RetryOptions } from '../../../src/core/provider/attempts.ts';
import type { Reachable } from '../../../src/core/provider/model-provider.ts';
import { Watchdog } from '../../../src/core/session/watchdog.ts';

const LOST = new ModelRtcError('network', 'The connection was lost.');

interface Connection {
  readonly number: number;
}

class Target implements Reachable<Connection> {
  wasReached = false;
  isClosed = false;
  readonly resets: number[] = [];
  /** How often it was asked to be reached, and what each time fails with. */
  reached = 0;
  failures: (ModelRtcError | undefined)[] = [];

  async reach(): Promise<Connection> {
    this.reached += 1;
    const error = this.failures[this.reached - 1];
    if (error !== undefined) throw error;
    this.wasReached = true;
    return { number: this.reached };
  }

  async reset({ number }: Connection): Promise<void> {
    this.resets.push(number);
  }
}

function scene({ giveUpMs, ...options }: Partial<RetryOptions> & { readonly giveUpMs?: number | undefined } = {}) {
  const clock = new VirtualClock();
  const watchdog = new Watchdog(clock, giveUpMs);
  const target = new Target();
  const startedMs: number[] = [];
  const reasons: string[] = [];
  const onRetry = ({ message }: ModelRtcError): unknown => reasons.push(message);
  const attempts = new Attempts(target, { clock, watchdog, random: () => 0, onRetry, ...options });
  /** Runs the work over and over as every user of attempts does, in virtual time. */
  const run = async <T>(work: (connection: number) => Promise<T>): Promise<T> => {
    for (;;) {
      let connection: Connection | undefined;
      try {
        startedMs.push(clock.nowMs());
        connection = await target.reach();
        return await work(connection.number);
      } catch (error) {
        await attempts.recover(error, connection);
      }
    }
  };
  const waits = (): number[] => startedMs.slice(1).map((ms, i) => ms - (startedMs[i] ?? 0));
  return { clock, watchdog, target, reasons, run, waits };
}

describe('attempts', () => {
  it('run the work again over a new connection while connections are lost', async () => {
    const { clock, target, reasons, run } = scene();
    const done = run(async (connection) => {
      if (connection < 3) throw LOST;
      return connection;
    });
    await clock.advance(10_000);
    expect(await done).toBe(3);
    expect(target.resets).toEqual([1, 2]);
    expect(reasons).toEqual([LOST.message, LOST.message]);
  });

  it('end with what another connection cannot fix', async () => {
    for (const code of ['token_revoked', 'refused', 'storage_full', 'not_found', 'busy', 'alias_taken'] as const) {
      const { target, run } = scene();
      const done = run(async () => {
        throw new ModelRtcError(code, 'No.');
      });
      expect(await rejection(done)).toMatchObject({ code });
      expect(target.reached).toBe(1);
    }
  });

  it('say at once why the first connection does not come up', async () => {
    const { clock, target, run } = scene();
    target.failures = [new ModelRtcError('worker_offline', 'Nobody is there.')];
    expect(await rejection(run(async () => {}))).toMatchObject({ code: 'worker_offline' });
    expect(clock.pending).toBe(0);
  });

  it('come back later to one that everyone comes back to at once', async () => {
    const { clock, target, run, waits } = scene();
    target.failures = [undefined, new ModelRtcError('busy', 'Too many clients are connecting.')];
    const done = run(async (connection) => {
      if (connection === 1) throw LOST;
      return connection;
    });
    await clock.advance(10_000);
    expect(await done).toBe(3);
    expect(waits()).toEqual([250, 500]);
  });

  it.each([
    ['2 minutes', undefined, 120_000],
    ['as long as was asked for', 600_000, 600_000],
  ])(
    'wait longer from time to time, up to a bound, and give up after %s without progress',
    async (_, giveUpMs, afterMs) => {
      const { clock, run, waits } = scene({ giveUpMs });
      const done = rejection(
        run(async () => {
          throw LOST;
        }),
      );
      await clock.advance(afterMs + 8_000);
      const error = await done;
      expect(error).toMatchObject({ code: 'timeout', exitCode: 9 });
      expect(error.message).toContain(`Nothing arrived for ${afterMs / 60_000} minutes`);
      expect(error.message).toContain('run the same command again');
      expect(waits().slice(0, 7)).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000]);
      expect(waits().reduce((sum, ms) => sum + ms)).toBeGreaterThanOrEqual(afterMs);
    },
  );

  it('come back soon each time that the connection before carried something', async () => {
    const { clock, watchdog, run, waits } = scene();
    const done = run(async (connection) => {
      // An hour passes over each connection, and something came in its last second.
      clock.sleep(3_599_000);
      watchdog.progressed();
      clock.sleep(1_000);
      if (connection < 4) throw LOST;
    });
    await clock.advance(20_000_000);
    await done;
    expect(waits()).toEqual([3_600_250, 3_600_250, 3_600_250]);
  });

  it('are cancelled while they wait', async () => {
    const stopped = new AbortController();
    const { clock, run } = scene({ signal: stopped.signal, onRetry: () => stopped.abort() });
    const done = run(async () => {
      throw LOST;
    });
    expect(await rejection(done)).toMatchObject({ code: 'cancelled', exitCode: 130 });
    expect(clock.pending).toBe(0);
  });

  it('end when this side closes, whatever the work makes of it', async () => {
    const { target, run } = scene();
    const done = run(async () => {
      target.isClosed = true;
      throw LOST;
    });
    expect(await rejection(done)).toMatchObject({ code: 'cancelled' });
    expect(target.reached).toBe(1);
  });
});
