import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, silentLog } from '@model-rtc/protocol';
import { settle, VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { PeerAssembly } from '../../../src/core/connect/assemble-peer.ts';
import { type AttemptKind, LANE_CHOICES } from '../../../src/core/connect/components.ts';
import { PeerChannel } from '../../../src/core/connect/lane-channel.ts';
import { LaneRace } from '../../../src/core/connect/lane-race.ts';
import { createMemoryLanes, createPeer, type Lane, type LaneKind, type Peer } from '../../../src/index.ts';
import { failure } from '../peer/support.ts';

interface Attempt {
  readonly kind: AttemptKind;
  readonly signal: AbortSignal;
  open(): void;
  fail(error: ModelRtcError): void;
}

/** A lane that says that it is of this kind, with an agent at its other end. */
function laneOf(kind: LaneKind): Lane {
  const [here, there] = createMemoryLanes();
  const hello = { role: 'worker', name: 'gpu', version: '1' } as const;
  createPeer({ lane: there, hello, authority: { scopes: [] }, handlers: {} }).catch(() => {});
  return new Proxy(here, {
    get: (target, key) => {
      const value = key === 'kind' ? kind : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function startRace(kinds: readonly AttemptKind[] = LANE_CHOICES) {
  const clock = new VirtualClock();
  const attempts: Attempt[] = [];
  const controller = new AbortController();
  const assembly = new PeerAssembly({
    hello: { role: 'client', name: 'laptop', version: '1' },
    authority: { scopes: [] },
    handlers: {},
    onExchange() {},
    onPeer() {},
    log: silentLog,
    clock,
  });
  const race = new LaneRace({
    channel: new PeerChannel('ws://127.0.0.1:1'),
    engine: () => Promise.reject(new Error('no engine here')),
    timeoutMs: 8_000,
    kinds,
    assembly,
    signal: controller.signal,
    clock,
    log: silentLog,
    onTry() {},
    attempt: (kind, { signal }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        attempts.push({ kind, signal, open: () => resolve(laneOf(kind)), fail: reject });
      }),
  });
  const peer = race.run();
  peer.catch(() => {});
  const tried = () => attempts.map(({ kind }) => kind);
  const attemptAt = (kind: AttemptKind) => attempts.find((attempt) => attempt.kind === kind) as Attempt;
  return { race, peer, clock, controller, tried, attemptAt };
}

const kindsOf = (peer: Peer) => peer.lanes.map(({ kind }) => kind);
const network = (message: string) => new ModelRtcError('network', message);

describe('the race of the kinds of lanes', () => {
  it('gives the better kinds a head start', async () => {
    const { clock, tried, race } = startRace();
    expect(tried()).toEqual(['direct']);
    await clock.advance(149);
    expect(tried()).toEqual(['direct']);
    await clock.advance(1);
    expect(tried()).toEqual(['direct', 'webrtc']);
    await clock.advance(850);
    expect(tried()).toEqual(['direct', 'webrtc', 'relay']);
    race.stop();
    await race.settled;
  });

  it('does not wait for a kind that is out of it', async () => {
    const { tried, attemptAt, race } = startRace();
    attemptAt('direct').fail(network('no way'));
    await settle();
    expect(tried()).toEqual(['direct', 'webrtc']);
    attemptAt('webrtc').fail(network('nor here'));
    await settle();
    expect(tried()).toEqual(['direct', 'webrtc', 'relay']);
    race.stop();
  });

  it('is won by the first, and tries nothing that is no better', async () => {
    const { peer, clock, tried, attemptAt, race } = startRace();
    await clock.advance(150);
    attemptAt('direct').open();
    expect(kindsOf(await peer)).toEqual(['direct']);
    expect(attemptAt('webrtc').signal.aborted).toBe(true);
    await race.settled;
    await clock.advance(5_000);
    expect(tried()).toEqual(['direct', 'webrtc']);
    expect(clock.pending).toBeLessThan(4);
    await (await peer).close();
  });

  it('lets better ones join the peer of the first', async () => {
    const { peer, clock, attemptAt, race } = startRace();
    await clock.advance(1_000);
    attemptAt('relay').open();
    const made = await peer;
    expect(kindsOf(made)).toEqual(['relay']);
    attemptAt('direct').open();
    await race.settled;
    await settle();
    expect(kindsOf(made)).toEqual(['direct', 'relay']);
    expect(attemptAt('webrtc').signal.aborted).toBe(true);
    await made.close();
  });

  it('fails with a refusal before anything else, and last with a kind that is not to be had', async () => {
    const none = new ModelRtcError('network', 'There is no relay.', { details: { unavailable: true } });
    const first = startRace(['direct', 'relay']);
    first.attemptAt('direct').fail(network('It is out of reach.'));
    await settle();
    first.attemptAt('relay').fail(none);
    expect((await failure(first.peer)).message).toBe('It is out of reach.');

    const second = startRace(['direct', 'relay']);
    second.attemptAt('direct').fail(none);
    await settle();
    second.attemptAt('relay').fail(new ModelRtcError('token_revoked', 'This session was revoked.'));
    expect((await failure(second.peer)).code).toBe('token_revoked');

    const third = startRace(['relay']);
    third.attemptAt('relay').fail(none);
    expect(await failure(third.peer)).toBe(none);
  });

  it('is given up by its signal', async () => {
    const { peer, controller, attemptAt, race } = startRace();
    controller.abort(new ModelRtcError('cancelled', 'Ctrl+C'));
    expect((await failure(peer)).message).toBe('Ctrl+C');
    expect(attemptAt('direct').signal.aborted).toBe(true);
    await race.settled;
  });
});
