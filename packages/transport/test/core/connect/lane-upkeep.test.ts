import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, silentLog } from '@model-rtc/protocol';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { type AttemptKind, LANE_CHOICES } from '../../../src/core/connect/components.ts';
import { PeerChannel } from '../../../src/core/connect/lane-channel.ts';
import { LaneShare } from '../../../src/core/connect/lane-share.ts';
import { LaneUpkeep } from '../../../src/core/connect/lane-upkeep.ts';
import { rankOf } from '../../../src/core/peer/links.ts';
import { createMemoryLanes, type Lane, type LaneKind, type Peer, type PeerLane } from '../../../src/index.ts';
import { CpuMeter } from '../../../src/node/cpu-meter.ts';

interface FakeLane {
  readonly kind: LaneKind;
  readonly engine: string | undefined;
  readonly mtu: number | undefined;
  readonly id: number;
  bytes: number;
  readonly closed: Promise<ModelRtcError | undefined>;
  lose(why: ModelRtcError): void;
}

/** A peer whose lanes carry what they are told to, in virtual time. */
class FakePeer {
  readonly remote: { capabilities: string[] };
  readonly closed: Promise<undefined>;
  rttMs = 5;
  isBulkExpected = false;
  #lanes: FakeLane[] = [];
  #close: (value: undefined) => void = () => {};
  #lastId = -1;

  constructor(capabilities: string[] = []) {
    this.remote = { capabilities };
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  get kinds(): string[] {
    return this.#lanes.map(({ kind }) => kind).sort((a, b) => rankOf(a as LaneKind) - rankOf(b as LaneKind));
  }

  /** Of the packets of each lane, in bytes; 0 is the engine's own. */
  get mtus(): number[] {
    return this.#lanes.map(({ mtu = 0 }) => mtu);
  }

  add(kind: LaneKind, engine?: string, mtu?: number): void {
    this.#lastId += 1;
    let lose: FakeLane['lose'] = () => {};
    const closed = new Promise<ModelRtcError>((resolve) => {
      lose = resolve;
    });
    this.#lanes.push({ kind, engine, mtu, id: this.#lastId, bytes: 0, closed, lose });
  }

  /** The first lane breaks off. */
  lose(): void {
    this.#lanes.shift()?.lose(new ModelRtcError('network', 'It broke off.'));
  }

  carry(bytesPerLane: number): void {
    for (const lane of this.#lanes) lane.bytes += bytesPerLane;
  }

  openLanes(): PeerLane[] {
    const sorted = [...this.#lanes].sort((a, b) => rankOf(a.kind) - rankOf(b.kind));
    return sorted.map((lane) => ({
      id: lane.id,
      kind: lane.kind,
      engine: lane.engine,
      info: () => ({ ...lane, sentBytes: 0, receivedBytes: lane.bytes, rttMs: this.rttMs }),
      closed: lane.closed,
      close: async () => {
        this.#lanes = this.#lanes.filter((other) => other !== lane);
      },
      abort() {},
    }));
  }

  async addLane(lane: Lane & { readonly mtu?: number }): Promise<PeerLane> {
    this.add(lane.kind, lane.engine, lane.mtu);
    const added = this.openLanes().find(({ id }) => id === this.#lastId);
    if (added === undefined) throw new Error('the lane was not added');
    return added;
  }

  close(): void {
    this.#close(undefined);
  }
}

/** A processor that has this part left over, whenever it is looked at. */
class FakeCpu {
  idleShare = 0.5;
  #times = { idle: 0, all: 0 };

  next() {
    this.#times = { idle: this.#times.idle + this.idleShare * 100, all: this.#times.all + 100 };
    return this.#times;
  }
}

function keepUp(
  peer: FakePeer,
  opens: (kind: AttemptKind, mtu: number | undefined) => boolean = () => true,
  share?: LaneShare,
) {
  const clock = new VirtualClock();
  const tried: AttemptKind[] = [];
  const engine = peer.openLanes()[0]?.engine;
  const cpu = new FakeCpu();
  void new LaneUpkeep({
    peer: peer as unknown as Peer,
    channel: new PeerChannel('ws://127.0.0.1:1'),
    kinds: LANE_CHOICES,
    engine: () => Promise.reject(new Error('no engine here')),
    clock,
    log: silentLog,
    share,
    cpu: new CpuMeter(() => cpu.next()),
    attempt: async (kind, { mtu }) => {
      tried.push(kind);
      if (!opens(kind, mtu)) throw new ModelRtcError('network', 'It does not open.');
      const [lane] = createMemoryLanes();
      return Object.assign(Object.create(lane), { kind, engine, mtu });
    },
  });
  /** Data flows: so much over each lane, a second. */
  const run = async (seconds: number, bytesPerLane: number) => {
    for (let i = 0; i < seconds * 10; i += 1) {
      peer.carry(bytesPerLane / 10);
      await clock.advance(100);
    }
  };
  return { clock, tried, run, cpu };
}

describe('the upkeep of a peer’s lanes', () => {
  it.each([
    ['native', [], 32],
    ['werift', [], 8],
    ['native', ['werift'], 8],
  ])('opens more %s lanes to a worker with %j while each carries its part, up to %i', async (engine, able, most) => {
    const peer = new FakePeer(able);
    peer.add('webrtc', engine);
    const { run } = keepUp(peer, (kind) => kind === 'webrtc');
    await run(60, 500_000);
    expect(peer.kinds).toEqual(Array(most).fill('webrtc'));
    peer.close();
  });

  it.each([
    ['native', 16],
    ['werift', 8],
  ])(
    'begins with several %s lanes at once where round trips are long, and as many as there may be',
    async (engine, first) => {
      const peer = new FakePeer();
      peer.rttMs = 50;
      peer.add('webrtc', engine);
      await keepUp(peer, (kind) => kind === 'webrtc').run(1, 500_000);
      expect(peer.kinds).toEqual(Array(first).fill('webrtc'));
    },
  );

  it('opens no second direct lane over a short path to a worker that sends slowly', async () => {
    const peer = new FakePeer();
    peer.add('direct');
    peer.rttMs = 1;
    await keepUp(peer).run(120, 50_000 * 20);
    expect(peer.kinds).toEqual(['direct']);
  });

  it('leaves each of several peers its part of all lanes, and more of them when one has left', async () => {
    const share = new LaneShare();
    const leave = Array.from({ length: 7 }, () => share.join());
    const peer = new FakePeer();
    peer.add('webrtc', 'native');
    const { run } = keepUp(peer, (kind) => kind === 'webrtc', share);
    await run(60, 500_000);
    expect(peer.kinds).toHaveLength(4);
    for (const one of leave) one();
    await run(120, 500_000);
    expect(peer.kinds).toHaveLength(32);
    peer.close();
    await run(1, 0);
    share.join();
    expect(share.each).toBe(32);
  });

  it('opens no second direct lane where the first carries enough, and none where nothing flows', async () => {
    const busy = new FakePeer();
    busy.add('direct');
    await keepUp(busy).run(30, 100e6);
    expect(busy.kinds).toEqual(['direct']);
    const idle = new FakePeer();
    idle.add('webrtc', 'native');
    const { run, tried } = keepUp(idle);
    await run(300, 0);
    expect(tried).toEqual([]);
  });

  it('opens no more while the processor is what holds it up, and looks again later', async () => {
    const peer = new FakePeer();
    peer.add('webrtc', 'native');
    const { run, cpu } = keepUp(peer, (kind) => kind === 'webrtc');
    cpu.idleShare = 0.02;
    await run(30, 20e6);
    expect(peer.kinds).toEqual(['webrtc']);
    cpu.idleShare = 0.6;
    await run(60, 500_000);
    expect(peer.kinds.length).toBeGreaterThan(1);
  });

  it.each([
    ['of a machine of its own', 1, () => true, 4000],
    ['that carries no jumbo frames', 5, (mtu = 0) => mtu <= 1500, 1500],
    ['that carries neither', 5, (mtu = 0) => mtu === 0, 0],
    ['with long round trips, where jumbo frames are not tried', 40, () => true, 1500],
  ] as const)('sends the largest packets that pass over a path %s', async (_, rttMs, passes, mtu) => {
    const peer = new FakePeer();
    peer.rttMs = rttMs;
    peer.add('webrtc', 'native');
    const { run, cpu } = keepUp(peer, (kind, size) => kind === 'webrtc' && passes(size));
    cpu.idleShare = 0.02;
    await run(1, 20e6);
    expect(new Set(peer.mtus)).toEqual(new Set([mtu]));
    peer.close();
  });

  it('goes on with the engine’s own packets when a lane with larger ones broke off', async () => {
    const peer = new FakePeer();
    peer.add('webrtc', 'native');
    const { run } = keepUp(peer, (kind) => kind === 'webrtc');
    await run(60, 500_000);
    expect(peer.mtus).toEqual(Array(32).fill(4000));
    peer.lose();
    await run(10, 500_000);
    expect(peer.mtus).toEqual([...Array(31).fill(4000), 0]);
    peer.close();
  });

  it('tries no larger packets between two sides on werift, which could not send them', async () => {
    const peer = new FakePeer(['werift']);
    peer.add('webrtc', 'werift');
    const { run } = keepUp(peer, (kind, mtu) => kind === 'webrtc' && mtu === undefined);
    await run(30, 500_000);
    expect(peer.mtus).toEqual(Array(8).fill(0));
    peer.close();
  });

  it.each([
    ['opens what a long path begins with before data flows', 50, true, 16],
    ['opens nothing for a few bytes over a long path', 50, false, 1],
    ['opens nothing ahead where round trips are short', 5, true, 1],
  ])('%s: round trips of %i ms, bulk expected: %p', async (_, rttMs, isBulkExpected, lanes) => {
    const peer = new FakePeer();
    peer.add('webrtc', 'native');
    peer.rttMs = rttMs;
    const { run } = keepUp(peer, (kind) => kind === 'webrtc');
    await run(1, 0);
    peer.isBulkExpected = isBulkExpected;
    await run(0.2, 0);
    expect(peer.kinds).toHaveLength(lanes);
    await run(5, 0);
    expect(peer.kinds).toHaveLength(lanes);
    peer.close();
  });

  it('tries the better kinds again while data flows, ever less often, and lets go of the worse once one is there', async () => {
    const peer = new FakePeer();
    peer.add('relay');
    let isReachable = false;
    const { run, tried } = keepUp(peer, (kind) => kind === 'direct' && isReachable);
    await run(4, 1e6);
    expect(tried).toEqual([]);
    await run(20, 1e6);
    expect(tried).toEqual(['direct', 'webrtc', 'direct', 'webrtc']);
    isReachable = true;
    await run(61, 1e6);
    expect(peer.kinds).not.toContain('relay');
    expect(peer.kinds[0]).toBe('direct');
    peer.close();
  });

  it('keeps a worse lane for a while beside a better one', async () => {
    const peer = new FakePeer();
    peer.add('relay');
    peer.add('direct');
    const { run } = keepUp(peer);
    await run(1.5, 100e6);
    expect(peer.kinds).toEqual(['direct', 'relay']);
    await run(2, 100e6);
    expect(peer.kinds).toEqual(['direct']);
  });

  it('ends with the peer', async () => {
    const peer = new FakePeer();
    peer.add('webrtc', 'native');
    const { clock, run, tried } = keepUp(peer);
    peer.close();
    await run(30, 1e6);
    expect(tried).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
