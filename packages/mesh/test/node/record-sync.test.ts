import { describe, expect, it } from '@jest/globals';
import { silentLog } from '@model-rtc/protocol';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { BEAT_BYTES, type Beat, packBeats } from '../../src/core/beats/beat.ts';
import { RecordSync } from '../../src/core/gossip/record-sync.ts';
import type { RecordStore, SyncMessage } from '../../src/core/gossip/types.ts';

const WALL_MS = Date.UTC(2026, 0, 1);

/** Records are `NAME ORDER`, parts are texts that name themselves. */
class TextStore implements RecordStore {
  readonly records = new Map<string, number>();
  readonly parts = new Set<string>();
  readonly wantedParts = new Set<string>();

  /** By the hint of a node: its sequence is 1, and its value says whether it counts. */
  readonly beats = new Map<string, number>();

  get size() {
    return this.records.size;
  }
  summary(beatsUntil = Number.POSITIVE_INFINITY) {
    const due = Math.floor((beatsUntil - WALL_MS) / 1000);
    return [...this.records].map(([name, order]) => {
      const beat = this.beatsOf(name);
      return beat === undefined ? { name, order } : { name, order, beat: Math.min(beat, Math.max(0, due)) };
    });
  }
  beatsOf(name: string) {
    return this.beats.get(name.slice(5));
  }
  beatOf(hint: string): Beat | undefined {
    const index = this.beats.get(hint);
    return index === undefined ? undefined : beat(hint, index);
  }
  async acceptBeats(beats: readonly Beat[]) {
    const news = beats.filter(({ hint, index, value }) => value[0] === 0 && index > (this.beats.get(hint) ?? index));
    for (const { hint, index } of news) this.beats.set(hint, index);
    const early = beats.filter(({ hint }) => !this.beats.has(hint));
    const wrong = beats.filter(({ value }) => value[0] !== 0);
    const want = [...early, ...wrong].map(({ hint }) => `head/${hint}`);
    return { news, early, want, wrongSteps: 1000 * wrong.length };
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
    if (name.startsWith('head/')) this.beats.set(name.slice(5), 0);
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

function beat(hint: string, index: number, isWrong = false): Beat {
  return { hint, sequence: 1, index, value: new Uint8Array(16).fill(isWrong ? 1 : 0) };
}

interface TestNode {
  readonly clock: VirtualClock;
  readonly asked: string[][];
  readonly told: SyncMessage[];
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
    const told: SyncMessage[] = [];
    const clock = new VirtualClock();
    const other = (key: string): TestNode => nodes.get(key) as TestNode;
    const sync = new RecordSync({
      ...{ store, clock, random: () => 0, wallMs: () => WALL_MS + clock.nowMs(), log: silentLog, onNews: () => {} },
      tell: async (key, message: SyncMessage) => {
        told.push(message);
        return await other(key).sync.answer(name, message);
      },
      fetchParts: async (key, hashes) => {
        asked.push([...hashes]);
        return other(key).sync.giveParts(name, hashes);
      },
      linked: () => linksOf?.(name) ?? names.filter((one) => one !== name),
      onBrokenLimit: (key) => broken.push(key),
    });
    nodes.set(name, { store, sync, broken, asked, told, clock });
  }
  return nodes;
}

const HEAD_HINT = 'abcdef0123456789';
const HEAD = `head/${HEAD_HINT}`;
const HEAD_RECORD = `${HEAD} 1`;

/** A node that is linked with all others; each of them is linked with it alone. All know the same. */
function star(links: number, records: number): { readonly a: TestNode; readonly others: TestNode[] } {
  const names = Array.from({ length: links }, (_, i) => `n${i}`);
  const nodes = connect(['a', ...names], (name) => (name === 'a' ? names : ['a']));
  const [a, ...others] = [...nodes.values()] as [TestNode, ...TestNode[]];
  for (const { store } of nodes.values())
    for (let i = 0; i < records; i++) store.records.set(`m/${i.toString(16).padStart(4, '0')}`, 1);
  return { a, others };
}

type SyncingNode = Pick<TestNode, 'store' | 'sync'>;

/** Two nodes: the first asks the second without a lane, and cannot be asked. */
function visiting(): [SyncingNode, SyncingNode, SyncMessage[]] {
  const told: SyncMessage[] = [];
  const make = (other: () => SyncingNode, isVisitor: boolean): SyncingNode => {
    const store = new TextStore();
    const refuse = () => Promise.reject(new Error('it cannot be asked'));
    const sync = new RecordSync({
      ...{
        store,
        clock: new VirtualClock(),
        wallMs: () => WALL_MS,
        random: () => 0,
        log: silentLog,
        onNews: () => {},
        linked: () => [],
      },
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

  it('tells all links of news at once where the mesh is small', async () => {
    const { a, others } = star(10, 100);
    await a.sync.answer('n0', { records: [Buffer.from(HEAD_RECORD)] });
    await a.clock.advance(0);
    expect(others.filter(({ store }) => store.records.has(HEAD))).toHaveLength(9);
  });

  it('tells all links of a head by its anchor among the next beats where the mesh is large, and sends it to who asks', async () => {
    const { a, others } = star(10, 2_000);
    await a.sync.answer('n0', { records: [Buffer.from(HEAD_RECORD)] });
    await a.clock.advance(0);
    expect(others.filter(({ store }) => store.records.has(HEAD))).toHaveLength(0);
    await a.clock.advance(5_000);
    expect(others.filter(({ store }) => store.records.has(HEAD))).toHaveLength(9);
    const sent = a.told.flatMap(({ records }) => records);
    expect(sent).toHaveLength(9);
    expect(a.told.flatMap(({ beats }) => beats ?? []).map(({ length }) => length)).toEqual(Array(9).fill(BEAT_BYTES));
  });

  it('sends nobody what it lacked itself and got by comparing, unless they ask for it', async () => {
    const { a, others } = star(10, 2_000);
    for (const { store } of others) await store.accept(Buffer.from(HEAD_RECORD));
    const [lacking] = others.splice(3, 1) as [TestNode];
    lacking.store.records.delete(HEAD);
    lacking.store.beats.delete(HEAD_HINT);
    await a.sync.compare('n0');
    expect(a.store.records.has(HEAD)).toBe(true);
    await a.clock.advance(5_000);
    expect(lacking.store.records.has(HEAD)).toBe(true);
    expect(a.told.flatMap(({ records }) => records)).toHaveLength(1);
  });

  it('compares with one member after the other, so that each brings what those before did not', async () => {
    const { a, others } = star(3, 0);
    for (const { store } of others) store.records.set('x', 1);
    const given: number[] = [];
    for (const { sync } of others) {
      const answer = sync.answer.bind(sync);
      sync.answer = async (...args) => {
        const reply = await answer(...args);
        given.push(reply.records.length);
        return reply;
      };
    }
    await Promise.all(others.map((_, i) => a.sync.compare(`n${i}`)));
    expect(given.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('waits no longer than five seconds for a member that does not answer', async () => {
    const { a, others } = star(2, 0);
    const [silent, other] = others as [TestNode, TestNode];
    silent.sync.answer = () => new Promise(() => {});
    other.store.records.set('x', 1);
    void a.sync.compare('n0');
    void a.sync.compare('n1');
    await a.clock.advance(4_900);
    expect(a.store.records.has('x')).toBe(false);
    await a.clock.advance(100);
    expect(a.store.records.has('x')).toBe(true);
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

  it('passes beats on once over each link, many in a message, and not back to who sent them', async () => {
    const line = ['a', 'b', 'c'];
    const nodes = connect(line, (name) =>
      line.filter((other) => Math.abs(line.indexOf(other) - line.indexOf(name)) === 1),
    );
    const hints = ['1'.repeat(16), '2'.repeat(16)];
    for (const { store } of nodes.values()) for (const hint of hints) store.records.set(`head/${hint}`, 1);
    for (const { store } of nodes.values()) for (const hint of hints) store.beats.set(hint, 0);
    const [a, b, c] = line.map((name) => nodes.get(name) as TestNode) as [TestNode, TestNode, TestNode];
    for (const hint of hints) a.store.beats.set(hint, 4);
    for (const hint of hints) a.sync.announceBeat(beat(hint, 4));
    for (const { clock } of [a, b, c, a, b, c]) await clock.advance(5_000);
    expect(c.store.beats).toEqual(new Map(hints.map((hint) => [hint, 4])));
    expect([a, b, c].map(({ told }) => told.map(({ beats }) => beats?.length))).toEqual([[68], [68], []]);
  });

  it('brings who was away the newest beat of each, without the records that it has', async () => {
    const nodes = connect(['a', 'b']);
    const [a, b] = [nodes.get('a') as TestNode, nodes.get('b') as TestNode];
    const [known, ahead] = ['1'.repeat(16), '2'.repeat(16)];
    for (const { store } of [a, b]) store.records.set(`head/${known}`, 1).set(`head/${ahead}`, 1);
    a.store.beats.set(known, 2).set(ahead, 9);
    b.store.beats.set(known, 7).set(ahead, 3);
    b.store.records.set('head/3333333333333333', 1);
    b.store.beats.set('3333333333333333', 5);
    expect(await a.sync.compare('b')).toBe(true);
    expect(a.store.beats).toEqual(new Map(Object.entries({ [known]: 7, [ahead]: 9, '3333333333333333': 5 })));
    expect(b.store.beats.get(ahead)).toBe(9);
    expect(a.told.flatMap(({ records }) => records)).toEqual([]);
  });

  it('compares no beats that are on their way, where there is much to compare', async () => {
    const nodes = connect(['a', 'b']);
    const [a, b] = [nodes.get('a') as TestNode, nodes.get('b') as TestNode];
    const hints = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(16, '0'));
    for (const { store } of [a, b]) for (const hint of hints) store.records.set(`head/${hint}`, 1);
    for (const hint of hints) a.store.beats.set(hint, 100);
    for (const hint of hints) b.store.beats.set(hint, 30);
    for (const { clock } of [a, b]) clock.sleep(90_000);
    await a.sync.compare('b');
    expect(a.told.map(({ have, beatsUntil }) => [have, beatsUntil])).toEqual([[undefined, WALL_MS + 30_000]]);
    for (const { clock } of [a, b]) clock.sleep(60_000);
    await a.sync.compare('b');
    expect(b.store.beats.get(hints[0] as string)).toBe(100);
  });

  it('asks for the head of a beat that does not fit, and stops reading a member that sends many of these', async () => {
    const nodes = connect(['a', 'b']);
    const [a] = [nodes.get('a') as TestNode];
    const hint = '1'.repeat(16);
    a.store.records.set(`head/${hint}`, 1);
    a.store.beats.set(hint, 0);
    const wrong = (count: number) => packBeats(Array.from({ length: count }, () => beat(hint, 1, true)));
    await expect(a.sync.answer('b', { records: [], beats: wrong(1) })).resolves.toMatchObject({
      want: [`head/${hint}`],
    });
    await expect(a.sync.answer('b', { records: [], beats: wrong(50) })).rejects.toMatchObject({ code: 'busy' });
    expect(a.broken).toEqual(['b']);
  });

  it('gives whoever it tells news nothing but what that was about', async () => {
    const nodes = connect(['a', 'b']);
    const [a, b] = [nodes.get('a') as TestNode, nodes.get('b') as TestNode];
    const hint = '1'.repeat(16);
    a.store.records.set('secret', 1).set(`head/${hint}`, 2);
    a.store.beats.set(hint, 1);
    b.sync.answer = async () => ({ records: [], want: ['secret', `head/${hint}`] });
    a.sync.announceBeat(beat(hint, 1));
    await a.clock.advance(5_000);
    const given = a.told.flatMap(({ records }) => records.map((bytes) => Buffer.from(bytes).toString()));
    expect(given).toEqual([`head/${hint} 2`]);
  });
});
