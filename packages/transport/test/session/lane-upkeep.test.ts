import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, silentLog } from '@model-rtc/protocol';
import { createMemoryLanes, type Lane, type LaneKind, type Peer, type PeerLane } from '../../src/index.ts';
import { rankOf } from '../../src/peer/links.ts';
import { type AttemptKind, LANE_CHOICES } from '../../src/session/attempt-lane.ts';
import { CpuMeter } from '../../src/session/cpu-meter.ts';
import { PeerChannel } from '../../src/session/lane-channel.ts';
import { LaneUpkeep } from '../../src/session/lane-upkeep.ts';
import { FakeTimers } from '../peer/support.ts';

/** A peer whose lanes carry what they are told to, in virtual time. */
class FakePeer {
  readonly remote: { capabilities: string[] };
  readonly closed: Promise<undefined>;
  rttMs = 5;
  readonly #lanes: { kind: LaneKind; engine: string | undefined; id: number; bytes: number }[] = [];
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

  add(kind: LaneKind, engine?: string): void {
    this.#lastId += 1;
    this.#lanes.push({ kind, engine, id: this.#lastId, bytes: 0 });
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
      closed: new Promise(() => {}),
      close: async () => void this.#lanes.splice(this.#lanes.indexOf(lane), 1),
      abort() {},
    }));
  }

  async addLane(lane: Lane): Promise<void> {
    this.add(lane.kind, lane.engine);
  }

  close(): void {
    this.#close(undefined);
  }
}

/** A processor of which this part is left over, whenever it is looked at. */
class FakeCpu {
  idleShare = 0.5;
  #times = { idle: 0, all: 0 };

  next() {
    this.#times = { idle: this.#times.idle + this.idleShare * 100, all: this.#times.all + 100 };
    return this.#times;
  }
}

function keepUp(peer: FakePeer, opens: (kind: AttemptKind) => boolean = () => true) {
  const timers = new FakeTimers();
  const tried: AttemptKind[] = [];
  const engine = peer.openLanes()[0]?.engine;
  const cpu = new FakeCpu();
  void new LaneUpkeep({
    peer: peer as unknown as Peer,
    channel: new PeerChannel('ws://127.0.0.1:1'),
    kinds: LANE_CHOICES,
    engine: () => Promise.reject(new Error('no engine here')),
    timers,
    log: silentLog,
    cpu: new CpuMeter(() => cpu.next()),
    attempt: async (kind) => {
      tried.push(kind);
      if (!opens(kind)) throw new ModelRtcError('network', 'It does not open.');
      const [lane] = createMemoryLanes();
      return Object.assign(Object.create(lane), { kind, engine });
    },
  });
  /** Data flows: so much over each lane, a second. */
  const run = async (seconds: number, bytesPerLane: number) => {
    for (let i = 0; i < seconds * 10; i += 1) {
      peer.carry(bytesPerLane / 10);
      await timers.advance(100);
    }
  };
  return { timers, tried, run, cpu };
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
    const { timers, run, tried } = keepUp(peer);
    peer.close();
    await run(30, 1e6);
    expect(tried).toEqual([]);
    expect(timers.pending).toBe(0);
  });
});
