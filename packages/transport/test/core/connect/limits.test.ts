import { describe, expect, it } from '@jest/globals';
import { type ExchangeMessage, ModelRtcError } from '@model-rtc/protocol';
import { settle, VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { Admission } from '../../../src/core/connect/admission.ts';
import { ConnectedPeers } from '../../../src/core/connect/connected-peers.ts';
import { ExchangeMemory } from '../../../src/core/connect/exchange-memory.ts';
import {
  MAX_PENDING_EXCHANGES,
  MAX_PENDING_PER_TOKEN,
  MAX_REMEMBERED_EXCHANGES,
  MAX_UNKNOWN_VISITORS,
  MAX_WAITING_EXCHANGE_MESSAGES,
  REMEMBER_EXCHANGE_MS,
} from '../../../src/core/connect/limits.ts';
import { Mailbox } from '../../../src/core/connect/mailbox.ts';
import { TimeBudget } from '../../../src/core/connect/time-budget.ts';
import { connectedPeers, failure, keepingLog } from '../peer/support.ts';

describe('visitors who have not shown a token', () => {
  it('are turned out oldest first when there are too many', () => {
    const admission = new Admission();
    const out: number[] = [];
    const leave = Array.from({ length: MAX_UNKNOWN_VISITORS }, (_, i) => admission.admitUnknown(() => out.push(i)));
    leave[0]?.();
    admission.admitUnknown(() => out.push(1000));
    expect(out).toEqual([]);
    admission.admitUnknown(() => out.push(1001));
    expect(out).toEqual([1]);
  });
});

describe('holders of a token', () => {
  it('may have so many exchanges going, and the others as many as are left', () => {
    const admission = new Admission();
    const leave = Array.from({ length: MAX_PENDING_PER_TOKEN }, () => admission.admitKnown('a'));
    expect(() => admission.admitKnown('a')).toThrow('Too many clients');
    for (let i = MAX_PENDING_PER_TOKEN; i < MAX_PENDING_EXCHANGES; i++) admission.admitKnown(`token ${i}`);
    expect(() => admission.admitKnown('b')).toThrow('Too many clients');
    leave[0]?.();
    leave[0]?.();
    admission.admitKnown('b');
    expect(() => admission.admitKnown('c')).toThrow('Too many clients');
  });
});

describe('the memory of exchanges', () => {
  it('knows one again, for a time', () => {
    const clock = new VirtualClock();
    const memory = new ExchangeMemory(clock);
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    expect([memory.add(one), memory.add(two), memory.add(one)]).toEqual([true, true, false]);
  });

  it('forgets the oldest when time has passed, or there are too many', async () => {
    const clock = new VirtualClock();
    const memory = new ExchangeMemory(clock);
    const nth = (n: number) => Uint8Array.of(n >> 8, n & 0xff);
    memory.add(nth(0));
    await clock.advance(REMEMBER_EXCHANGE_MS);
    expect(memory.add(nth(0))).toBe(true);
    for (let n = 1; n < MAX_REMEMBERED_EXCHANGES; n++) memory.add(nth(n));
    expect(memory.add(nth(MAX_REMEMBERED_EXCHANGES - 1))).toBe(false);
    memory.add(nth(MAX_REMEMBERED_EXCHANGES));
    expect(memory.add(nth(0))).toBe(true);
  });
});

describe('a mailbox', () => {
  const message = (lane: number): ExchangeMessage => ({ type: 'answer', lane, sdp: 'v=0' });

  it('gives what came, also later, and then its end', async () => {
    const mailbox = new Mailbox();
    const read: ExchangeMessage[] = [];
    const reading = (async () => {
      for await (const each of mailbox) read.push(each);
    })();
    mailbox.push(message(1));
    await settle();
    mailbox.push(message(2));
    mailbox.end();
    mailbox.push(message(3));
    await reading;
    expect(read).toEqual([message(1), message(2)]);
  });

  it('throws the error with which it ended after what came before', async () => {
    const mailbox = new Mailbox();
    mailbox.push(message(1));
    mailbox.end(new ModelRtcError('refused', 'No.'));
    const reader = mailbox[Symbol.asyncIterator]();
    expect((await reader.next()).value).toEqual(message(1));
    expect((await failure(reader.next())).code).toBe('refused');
  });

  it('holds no more than its bound', async () => {
    const mailbox = new Mailbox();
    for (let n = 0; n < 2 * MAX_WAITING_EXCHANGE_MESSAGES; n++) mailbox.push(message(n));
    mailbox.end();
    let count = 0;
    for await (const _ of mailbox) count++;
    expect(count).toBe(MAX_WAITING_EXCHANGE_MESSAGES);
  });
});

describe('a time budget', () => {
  it('ends what waits when the time is up, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const budget = new TimeBudget(1_000, undefined, clock);
    const waiting = failure(budget.wait(5_000));
    await clock.advance(1_000);
    expect((await waiting).code).toBe('timeout');
    expect([budget.isTimeUp, budget.leftMs, clock.pending]).toEqual([true, 0, 0]);
  });

  it('ends with the signal of the caller', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const budget = new TimeBudget(1_000, controller.signal, clock);
    await Promise.all([budget.wait(500), clock.advance(500)]);
    controller.abort();
    expect(() => budget.check()).toThrow('Cancelled.');
    expect(budget.isTimeUp).toBe(false);
    budget.release();
    expect(clock.pending).toBe(0);
  });
});

describe('the peers that are connected', () => {
  it('are closed when their token is revoked, not when that could not be looked up', async () => {
    const clock = new VirtualClock();
    const log = keepingLog();
    const { client, worker } = await connectedPeers();
    const peers = new ConnectedPeers(clock, log);
    let problem: Error | undefined;
    const check = () => {
      if (problem !== undefined) throw problem;
    };
    peers.add(worker, { scopes: ['read'], check });
    await clock.advance(10_000);
    problem = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    await clock.advance(10_000);
    expect(peers.all).toEqual([worker]);
    expect(log.entries.some(({ level }) => level === 'warn')).toBe(true);
    problem = new ModelRtcError('token_revoked', 'Revoked.');
    await clock.advance(2_000);
    expect(await client.closed).toMatchObject({ code: 'token_revoked' });
    await settle();
    expect(peers.all).toEqual([]);
    await peers.close();
    expect(clock.pending).toBe(0);
  });

  it('are closed where a predicate says so, and all of them in the end', async () => {
    const peers = new ConnectedPeers(new VirtualClock(), keepingLog());
    const one = await connectedPeers();
    const two = await connectedPeers();
    peers.add(one.worker, { scopes: ['read'], keyId: 'one' });
    peers.add(two.worker, { scopes: ['read'], keyId: 'two' });
    await peers.closeWhere(({ keyId }) => keyId === 'one', new ModelRtcError('token_expired', 'Expired.'));
    expect(await one.client.closed).toMatchObject({ code: 'token_expired' });
    expect(peers.all).toEqual([two.worker]);
    await peers.close();
    expect(await two.client.closed).toBeUndefined();
  });
});
