import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { openLan } from '../../../src/node/mdns/lan.ts';
import type {
  LanInterface,
  LanSighting,
  MdnsEvents,
  OpenMdnsSocket,
  ReceivedPacket,
} from '../../../src/node/mdns/types.ts';

const ETH: LanInterface = { id: 'eth0', name: 'eth0', family: 4, addresses: ['10.0.0.1'] };
const WLAN: LanInterface = { id: 'wlan0', name: 'wlan0', family: 4, addresses: ['10.1.0.1'] };
const A = { meshHint: 'a'.repeat(16), nodeHint: '1'.repeat(16), maskedKey: '3'.repeat(64), port: 8787 };
const B = { meshHint: 'a'.repeat(16), nodeHint: '2'.repeat(16), maskedKey: '4'.repeat(64), port: 9000 };

/** A switch: what one socket sends, all others with the same interface name receive. */
function createSwitch(): (address: string) => OpenMdnsSocket {
  const sockets = new Set<{ on: LanInterface; events: MdnsEvents }>();
  return (address) => (on, events) => {
    const own = { on, events };
    sockets.add(own);
    return {
      send: ({ type, answers }) => {
        const questions = type === 'query' ? [{ name: '_model-rtc._tcp.local', type: 'PTR' }] : [];
        for (const other of sockets) {
          if (other !== own && other.on.name === on.name) other.events.packet({ type, questions, answers }, address);
        }
      },
      close: () => void sockets.delete(own),
    };
  };
}

describe('openLan', () => {
  it('finds a node that starts later, and one that was there before', async () => {
    const clock = new VirtualClock();
    const lan = createSwitch();
    const seen = { a: [] as LanSighting[], b: [] as LanSighting[] };
    const first = openLan({
      ...{ announcements: () => [A], onSighting: (one) => seen.a.push(one), clock },
      ...{ openSocket: lan('10.0.0.1'), interfaces: () => [ETH] },
    });
    await clock.advance(30_000);
    const second = openLan({
      ...{ announcements: () => [B], onSighting: (one) => seen.b.push(one), clock },
      ...{ openSocket: lan('10.0.0.2'), interfaces: () => [{ ...ETH, addresses: ['10.0.0.2'] }] },
    });
    await clock.advance(10_000);
    expect(seen.a.at(-1)).toEqual({ ...hints(B), urls: ['ws://10.0.0.2:9000'], isLeaving: false });
    expect(seen.b.at(-1)).toEqual({ ...hints(A), urls: ['ws://10.0.0.1:8787'], isLeaving: false });
    second.close();
    expect(seen.a.at(-1)).toEqual({ ...hints(B), urls: [], isLeaving: true });
    first.close();
  });

  it('is found on an interface that comes up later', async () => {
    const clock = new VirtualClock();
    const lan = createSwitch();
    const seen: LanSighting[] = [];
    let interfaces = [ETH];
    openLan({
      announcements: () => [A],
      onSighting: () => {},
      clock,
      openSocket: lan('x'),
      interfaces: () => interfaces,
    });
    openLan({
      ...{ announcements: () => [], onSighting: (one: LanSighting) => seen.push(one), clock },
      ...{ openSocket: lan('10.1.0.2'), interfaces: () => [WLAN] },
    });
    await clock.advance(20_000);
    expect(seen).toEqual([]);
    interfaces = [ETH, WLAN];
    await clock.advance(20_000);
    expect(seen.length).toBeGreaterThan(0);
  });

  it('keeps going on other interfaces when one cannot be used', async () => {
    const clock = new VirtualClock();
    const lan = createSwitch();
    const seen: LanSighting[] = [];
    const openSocket: OpenMdnsSocket = (on, events) => {
      if (on.name === 'eth0') throw new Error('no multicast here');
      return lan('10.1.0.1')(on, events);
    };
    openLan({ announcements: () => [A], onSighting: () => {}, clock, openSocket, interfaces: () => [ETH, WLAN] });
    openLan({
      ...{ announcements: () => [], onSighting: (one: LanSighting) => seen.push(one), clock },
      ...{ openSocket: lan('10.1.0.2'), interfaces: () => [WLAN] },
    });
    await clock.advance(10_000);
    expect(seen.at(-1)?.urls).toEqual(['ws://10.1.0.1:8787']);
  });

  it('answers many who ask at once with one packet a second', async () => {
    const clock = new VirtualClock();
    const said: string[] = [];
    let receive: (packet: ReceivedPacket) => void = () => {};
    const openSocket: OpenMdnsSocket = (_on, events) => {
      receive = (packet) => events.packet(packet, '10.0.0.9');
      return { send: ({ type }) => said.push(type), close: () => {} };
    };
    openLan({ announcements: () => [A], onSighting: () => {}, clock, openSocket, interfaces: () => [ETH] });
    await clock.advance(20_000);
    said.length = 0;
    const question = {
      type: 'query',
      questions: [{ name: '_model-rtc._tcp.local', type: 'PTR' }],
      answers: [],
    } as const;
    for (let i = 0; i < 50; i++) {
      receive(question);
      await clock.advance(40);
    }
    await clock.advance(1_200);
    expect(said).toEqual(['response', 'response', 'response']);
  });

  it('takes nothing from packets that make no sense', async () => {
    const clock = new VirtualClock();
    const seen: LanSighting[] = [];
    let receive: (packet: ReceivedPacket) => void = () => {};
    const openSocket: OpenMdnsSocket = (_on, events) => {
      receive = (packet) => events.packet(packet, '10.0.0.9');
      return { send: () => {}, close: () => {} };
    };
    openLan({
      announcements: () => [],
      onSighting: (one) => seen.push(one),
      clock,
      openSocket,
      interfaces: () => [ETH],
    });
    const name = `x._model-rtc._tcp.local`;
    const txt = {
      name,
      type: 'TXT',
      ttl: 120,
      data: ['v=1', `m=${A.meshHint}`, `n=${A.nodeHint}`, `k=${A.maskedKey}`],
    };
    const answers = [
      [txt],
      [txt, { name, type: 'SRV', data: { port: 70_000, target: 'x.local' } }],
      [txt, { name, type: 'SRV', data: null }],
      [
        { ...txt, data: ['m=../..', 'n=1'] },
        { name, type: 'SRV', data: { port: 1, target: 'x.local' } },
      ],
      [
        { ...txt, name: 'x._http._tcp.local' },
        { name: 'x._http._tcp.local', type: 'SRV', data: { port: 1, target: 'x' } },
      ],
    ];
    for (const one of answers) receive({ type: 'response', questions: [], answers: one });
    expect(seen).toEqual([]);
    receive({
      type: 'response',
      questions: [],
      answers: [txt, { name, type: 'SRV', data: { port: 80, target: 'x.local' } }],
    });
    expect(seen).toHaveLength(1);
  });
});

function hints({ meshHint, nodeHint, maskedKey }: typeof A): Pick<LanSighting, 'meshHint' | 'nodeHint' | 'maskedKey'> {
  return { meshHint, nodeHint, maskedKey };
}
