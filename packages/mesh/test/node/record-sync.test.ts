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
  missingParts(most: number) {
    return [...this.wantedParts].filter((hash) => !this.parts.has(hash)).slice(0, most);
  }
  part(hash: string) {
    return this.parts.has(hash) ? Buffer.from(hash) : undefined;
  }
  async acceptPart(bytes: Uint8Array) {
    this.parts.add(Buffer.from(bytes).toString());
  }
}

interface TestNode {
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
    const other = (key: string): TestNode => nodes.get(key) as TestNode;
    const sync = new RecordSync({
      ...{ store, clock: new VirtualClock(), random: () => 0, log: silentLog, onNews: () => {} },
      tell: async (key, message: SyncMessage) => await other(key).sync.answer(name, message),
      fetchParts: async (key, hashes) => hashes.flatMap((hash) => other(key).store.part(hash) ?? []),
      linked: () => linksOf?.(name) ?? names.filter((one) => one !== name),
      onBrokenLimit: (key) => broken.push(key),
    });
    nodes.set(name, { store, sync, broken });
  }
  return nodes;
}

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

  it('refuses a member that sends more than it may, and says who it was', async () => {
    const nodes = connect(['a', 'b']);
    const a = nodes.get('a') as TestNode;
    const records = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`r${i} 1`));
    for (let round = 0; round < 50; round++) await a.sync.answer('b', { records });
    await expect(a.sync.answer('b', { records })).rejects.toMatchObject({ code: 'busy' });
    expect(a.broken).toEqual(['b']);
    await expect(a.sync.answer('c', { records: [] })).resolves.toEqual({ records: [], want: [] });
  });
});
