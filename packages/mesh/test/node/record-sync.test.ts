import { describe, expect, it } from '@jest/globals';
import { silentLog } from '@model-rtc/protocol';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { RecordSync } from '../../src/core/gossip/record-sync.ts';
import type { RecordStore, SyncMessage } from '../../src/core/gossip/types.ts';

/** Records are `NAME ORDER`, parts are texts that name themselves. */
class TextStore implements RecordStore {
  readonly records = new Map<string, number>();
  readonly parts = new Set<string>();
  readonly wantedParts = new Set<string>();

  summary() {
    return [...this.records].map(([name, order]) => ({ name, order }));
  }
  orderOf(name: string) {
    return this.records.get(name);
  }
  bytesOf(name: string) {
    return this.records.has(name) ? Buffer.from(`${name} ${this.records.get(name)}`) : undefined;
  }
  async accept(bytes: Uint8Array) {
    const [name = '', order] = Buffer.from(bytes).toString().split(' ');
    if (order === 'forged') return false;
    if (Number(order) <= (this.records.get(name) ?? -1)) return undefined;
    this.records.set(name, Number(order));
    return name;
  }
  missingParts(most: number, isSkipped: (hash: string) => boolean = () => false) {
    return [...this.wantedParts].filter((hash) => !this.parts.has(hash) && !isSkipped(hash)).slice(0, most);
  }
  part(hash: string) {
    return this.parts.has(hash) ? Buffer.from(hash) : undefined;
  }
  async acceptPart(bytes: Uint8Array) {
    const hash = Buffer.from(bytes).toString();
    if (this.parts.has(hash) || !this.wantedParts.has(hash)) return false;
    this.parts.add(hash);
    return true;
  }
}

interface TestNode {
  readonly clock: VirtualClock;
  readonly asked: string[][];
  readonly store: TextStore;
  readonly sync: RecordSync;
  readonly broken: string[];
}

/** Nodes that are all linked, or as `linksOf` says. */
function connect(names: readonly string[], linksOf?: (name: string) => readonly string[]): Map<string, TestNode> {
  const nodes = new Map<string, TestNode>();
  for (const name of names) {
    const store = new TextStore();
    const broken: string[] = [];
    const asked: string[][] = [];
    const clock = new VirtualClock();
    const other = (key: string): TestNode => nodes.get(key) as TestNode;
    const sync = new RecordSync({
      ...{ store, clock, random: () => 0, log: silentLog, onNews: () => {} },
      tell: async (key, message: SyncMessage) => await other(key).sync.answer(name, message),
      fetchParts: async (key, hashes) => {
        asked.push([...hashes]);
        return other(key).sync.giveParts(name, hashes);
      },
      linked: () => linksOf?.(name) ?? names.filter((one) => one !== name),
      onBrokenLimit: (key) => broken.push(key),
    });
    nodes.set(name, { store, sync, broken, asked, clock });
  }
  return nodes;
}

type SyncingNode = Pick<TestNode, 'store' | 'sync'>;

/** Two nodes: the first asks the second without a lane, and cannot be asked. */
function visiting(): [SyncingNode, SyncingNode, SyncMessage[]] {
  const told: SyncMessage[] = [];
  const make = (other: () => SyncingNode, isVisitor: boolean): SyncingNode => {
    const store = new TextStore();
    const refuse = () => Promise.reject(new Error('it cannot be asked'));
    const sync = new RecordSync({
      ...{ store, clock: new VirtualClock(), random: () => 0, log: silentLog, onNews: () => {}, linked: () => [] },
      tell: async (_, message) => {
        told.push(message);
        return isVisitor ? await other().sync.answer('a', message, { isWithoutLane: true }) : await refuse();
      },
      fetchParts: (_, hashes) =>
        isVisitor ? Promise.resolve(hashes.flatMap((hash) => other().store.part(hash) ?? [])) : refuse(),
      isWithoutLane: () => true,
      onBrokenLimit: () => {},
    });
    return { store, sync };
  };
  const visitor: SyncingNode = make(() => worker, true);
  const worker: SyncingNode = make(() => visitor, false);
  return [visitor, worker, told];
}

describe('RecordSync without a lane', () => {
  it('makes both alike, the parts too that the other side cannot fetch', async () => {
    const [a, b] = visiting();
    a.store.records.set('x', 1);
    b.store.records.set('y', 7);
    for (const hash of ['p', 'q']) b.store.wantedParts.add(hash);
    a.store.parts.add('p');
    a.store.wantedParts.add('r');
    b.store.parts.add('r');
    expect(await a.sync.compare('b')).toBe(true);
    expect(a.store.records).toEqual(b.store.records);
    expect([[...a.store.parts].sort(), [...b.store.parts].sort()]).toEqual([
      ['p', 'r'],
      ['p', 'r'],
    ]);
  });

  it('compares many records in messages that are short, until all are there', async () => {
    const [a, b, told] = visiting();
    const padding = 'z'.repeat(600);
    for (let i = 0; i < 2_500; i++) {
      const hex = (i % 256).toString(16).padStart(2, '0');
      a.store.records.set(`m/${hex}${i}a`, 1);
      b.store.records.set(`m/${hex}${i}b${padding}`, 1);
    }
    expect(await a.sync.compare('b')).toBe(true);
    expect(a.store.records.size).toBe(5_000);
    expect(b.store.records.size).toBe(5_000);
    for (const { have = [] } of told) expect(have.length).toBeLessThanOrEqual(2_000);
  });
});

describe('RecordSync', () => {
  it('makes two members alike by one comparison, in both directions', async () => {
    const nodes = connect(['a', 'b']);
    const [a, b] = [nodes.get('a') as TestNode, nodes.get('b') as TestNode];
    a.store.records.set('x', 1).set('both', 2);
    b.store.records.set('y', 7).set('both', 5);
    expect(await a.sync.compare('b')).toBe(true);
    const wanted = new Map([
      ['x', 1],
      ['y', 7],
      ['both', 5],
    ]);
    expect(a.store.records).toEqual(wanted);
    expect(b.store.records).toEqual(wanted);
  });

  it('stops reading what a member sends after a hundred records with wrong signatures', async () => {
    const nodes = connect(['a', 'b']);
    const [a, b] = [nodes.get('a') as TestNode, nodes.get('b') as TestNode];
    const forged = (count: number) => Array.from({ length: count }, () => Buffer.from('x forged'));
    await a.sync.answer('b', { records: [...forged(90), Buffer.from('y 1')] });
    expect(a.store.records).toEqual(new Map([['y', 1]]));
    const flood = a.sync.answer('b', { records: [...forged(30), Buffer.from('z 1')] });
    await expect(flood).rejects.toMatchObject({ code: 'busy' });
    expect(a.store.records.has('z')).toBe(false);
    expect(a.broken).toEqual(['b']);
    expect(b.broken).toEqual([]);
  });

  it('passes news on along a line of members, each of whom hears it once', async () => {
    const line = ['a', 'b', 'c', 'd'];
    const nodes = connect(line, (name) =>
      line.filter((other) => Math.abs(line.indexOf(other) - line.indexOf(name)) === 1),
    );
    (nodes.get('a') as TestNode).store.records.set('x', 3);
    await nodes.get('a')?.sync.announce(['x']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(nodes.get('d')?.store.records.get('x')).toBe(3);
  });

  it('fetches the parts that are missing from whoever has them', async () => {
    const nodes = connect(['a', 'b', 'c']);
    const a = nodes.get('a') as TestNode;
    for (const hash of ['p', 'q']) a.store.wantedParts.add(hash);
    nodes.get('b')?.store.parts.add('p');
    nodes.get('c')?.store.parts.add('q');
    await a.sync.fetchMissing();
    expect([...a.store.parts].sort()).toEqual(['p', 'q']);
  });

  it('fetches what somebody has, whatever thousands of parts a catalog names that nobody has', async () => {
    const nodes = connect(['a', 'b']);
    const a = nodes.get('a') as TestNode;
    for (let i = 0; i < 2_000; i++) a.store.wantedParts.add(`never${i}`);
    a.store.wantedParts.add('p');
    nodes.get('b')?.store.parts.add('p');
    await a.sync.fetchMissing();
    expect([...a.store.parts]).toEqual(['p']);
    expect(a.sync.isComplete).toBe(true);
    const { length } = a.asked;
    await a.sync.fetchMissing();
    expect(a.asked).toHaveLength(length);
  });

  it('asks again for a part whose head came before it', async () => {
    const nodes = connect(['a', 'b']);
    const a = nodes.get('a') as TestNode;
    a.store.wantedParts.add('p');
    await a.sync.fetchMissing();
    nodes.get('b')?.store.parts.add('p');
    await a.clock.advance(1_000);
    expect([...a.store.parts]).toEqual(['p']);
  });

  it('stops asking a member that answers with what nobody asked for', async () => {
    const nodes = connect(['a', 'b']);
    const [a, b] = [nodes.get('a') as TestNode, nodes.get('b') as TestNode];
    a.store.wantedParts.add('p');
    b.store.part = () => Buffer.from('junk');
    await a.sync.fetchMissing();
    expect(a.asked).toEqual([['p']]);
  });

  it('refuses a member that asks for the same parts for ever, and says who it was', async () => {
    const a = connect(['a', 'b']).get('a') as TestNode;
    a.store.part = () => Buffer.alloc(64 * 1024);
    const askFor = () => a.sync.giveParts('b', ['p', 'p', 'q']);
    expect(askFor()).toHaveLength(2);
    expect(() => {
      for (let i = 0; i < 3_000; i++) askFor();
    }).toThrow('more records in a minute');
    expect(a.broken).toEqual(['b']);
    expect(a.sync.giveParts('c', ['p'])).toHaveLength(1);
    await a.clock.advance(61_000);
    expect(askFor()).toHaveLength(2);
  });

  it('gives each record once, however often a member wants it', async () => {
    const nodes = connect(['a', 'b']);
    const [a, b] = [nodes.get('a') as TestNode, nodes.get('b') as TestNode];
    a.store.records.set('x', 1);
    const taken: number[] = [];
    b.sync.answer = async (_, { records }) => {
      taken.push(records.length);
      return { records: [], want: Array.from({ length: 10_000 }, () => 'x') };
    };
    await a.sync.compare('b');
    expect(taken).toEqual([0, 1]);
  });

  it('tells nobody more than it may send, so that passing on a flood shuts nobody out', async () => {
    const nodes = connect(['a', 'b', 'c', 'd'], (name) => (name === 'a' ? ['b', 'c', 'd'] : ['a']));
    const a = nodes.get('a') as TestNode;
    for (const [from, first] of [['b', 0] as const, ['c', 40_000] as const]) {
      for (let round = 0; round < 40; round++) {
        const records = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`r${first + round * 1_000 + i} 1`));
        await a.sync.answer(from, { records });
      }
    }
    await a.clock.advance(0);
    expect(a.store.records.size).toBe(80_000);
    expect([...nodes.values()].flatMap(({ broken }) => broken)).toEqual([]);
  });

  it('refuses a member that sends more than it may, and says who it was', async () => {
    const nodes = connect(['a', 'b']);
    const a = nodes.get('a') as TestNode;
    const records = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`r${i} 1`));
    for (let round = 0; round < 49; round++) await a.sync.answer('b', { records });
    await expect(a.sync.answer('b', { records })).rejects.toMatchObject({ code: 'busy' });
    expect(a.broken).toEqual(['b']);
    await expect(a.sync.answer('c', { records: [] })).resolves.toEqual({ records: [], want: [] });
  });
});
