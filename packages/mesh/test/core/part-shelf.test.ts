import { describe, expect, it } from '@jest/globals';
import { type Digest, sha256Digest } from '@model-rtc/protocol';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { fairLevel } from '../../src/core/catalog/fair-level.ts';
import { readHead, signHead } from '../../src/core/catalog/head.ts';
import { PartShelf } from '../../src/core/catalog/part-shelf.ts';
import { partHash } from '../../src/core/parts.ts';
import type { MeshModel } from '../../src/types.ts';
import { identityOf, keyTextOf, MESH_ID, START_MS } from '../support/people.ts';

function catalogOf(node: number, models: number, fields: Partial<MeshModel> = {}) {
  const own = { name: `node-${node}`, role: 'worker' as const, tags: [], properties: {}, urls: [] };
  const all = Array.from({ length: models }, (_, i): MeshModel => {
    const digest: Digest = sha256Digest(Buffer.from(`${node} ${i}`));
    const texts = { modelId: digest.slice(0, 8), name: `model-${i}`, type: 'llama', source: 'hub' as const };
    return { digest, ...texts, sizeBytes: 1, capabilities: [], tags: [], ...fields };
  });
  const said = { meshId: MESH_ID, own: { ...own, models: all }, sequence: models + 1, nowMs: START_MS };
  const { record, parts } = signHead(identityOf(node), said);
  return { head: readHead(record, MESH_ID), parts: new Map(parts.map(({ hash, bytes }) => [hash, bytes])) };
}

/** Fetches all that is wanted, some at a time. */
function fill(shelf: PartShelf, catalogs: readonly ReturnType<typeof catalogOf>[]): void {
  for (let hashes = shelf.missing(3); hashes.length > 0; hashes = shelf.missing(3)) {
    const found = hashes.flatMap((hash) => catalogs.flatMap(({ parts }) => parts.get(hash) ?? []));
    expect(found.length).toBeGreaterThan(0);
    for (const bytes of found) shelf.take(bytes);
  }
}

const countsOf = (shelf: PartShelf, nodes: readonly number[]) =>
  nodes.map((node) => shelf.modelsOf(keyTextOf(node)).length);

describe('fairLevel', () => {
  it('takes nothing from whoever wants less than an equal share, and gives away all that there is', () => {
    expect(fairLevel([1, 2, 3], 6)).toBe(Number.POSITIVE_INFINITY);
    expect(fairLevel([10, 2, 10], 12)).toBe(5);
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 1 }), fc.nat(50_000), (wants, total) => {
        const level = fairLevel(wants, total);
        const given = wants.map((want) => Math.min(want, level));
        expect(given.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(total + 1e-6);
        for (const want of wants) if (want <= total / wants.length) expect(level).toBeGreaterThanOrEqual(want);
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('PartShelf', () => {
  it('keeps all models of those below an equal share, and the first parts of those that announce many', () => {
    const catalogs = [catalogOf(1, 40), catalogOf(2, 3_000), catalogOf(3, 2_500), catalogOf(4, 90)];
    const shelf = new PartShelf({ isMember: () => true, most: 2_000 });
    for (const { head } of catalogs) shelf.setHead(head);
    fill(shelf, catalogs);
    const [one, two, three, four] = countsOf(shelf, [1, 2, 3, 4]) as [number, number, number, number];
    expect([one, four]).toEqual([40, 90]);
    for (const count of [two, three]) {
      expect(count).toBeLessThanOrEqual(935);
      expect(count).toBeGreaterThan(600);
    }
    expect(shelf.leftOut(keyTextOf(1))).toBe(0);
    expect(shelf.leftOut(keyTextOf(2))).toBeGreaterThan(2_000);
  });

  it('keeps the same whoever came first', () => {
    const catalogs = [catalogOf(1, 1_000), catalogOf(2, 30), catalogOf(3, 1_500)];
    const kept = [catalogs, [...catalogs].reverse()].map((order) => {
      const shelf = new PartShelf({ isMember: () => true, most: 900 });
      for (const catalog of order) {
        shelf.setHead(catalog.head);
        fill(shelf, order);
      }
      return [1, 2, 3].map((node) => shelf.modelsOf(keyTextOf(node)).map(({ digest }) => digest));
    });
    expect(kept[0]).toEqual(kept[1]);
    expect(kept[0]?.map(({ length }) => length > 0)).toEqual([true, true, true]);
  });

  it('gives room back when a node announces less, or is no member any more', () => {
    const members = new Set([1, 2].map(keyTextOf));
    const [many, others] = [catalogOf(1, 2_000), catalogOf(2, 900)];
    const shelf = new PartShelf({ isMember: (key) => members.has(key), most: 1_000 });
    for (const { head } of [many, others]) shelf.setHead(head);
    fill(shelf, [many, others]);
    expect(countsOf(shelf, [2])[0]).toBeLessThan(900);
    members.delete(keyTextOf(1));
    shelf.tidy();
    fill(shelf, [many, others]);
    expect(countsOf(shelf, [2])).toEqual([900]);
    expect([...many.parts.keys()].filter((hash) => shelf.bytesOf(hash) !== undefined)).toEqual([]);
  });

  it('gives nodes that are not trusted what the others leave, and nothing where they leave nothing', () => {
    const distrusted = new Set<string>();
    const catalogs = [catalogOf(1, 600), catalogOf(2, 300), catalogOf(3, 2_000)];
    const shelf = new PartShelf({ isMember: () => true, isTrusted: (key) => !distrusted.has(key), most: 1_000 });
    for (const { head } of catalogs) shelf.setHead(head);
    fill(shelf, catalogs);
    expect(countsOf(shelf, [1])[0]).toBeLessThan(600);
    distrusted.add(keyTextOf(3));
    shelf.recount();
    fill(shelf, catalogs);
    expect(countsOf(shelf, [1, 2])).toEqual([600, 300]);
    expect(countsOf(shelf, [3])[0]).toBeLessThanOrEqual(100);
    expect(shelf.leftOut(keyTextOf(3))).toBeGreaterThanOrEqual(1_900);
    distrusted.add(keyTextOf(2));
    shelf.setHead(catalogOf(1, 1_500).head);
    fill(shelf, [...catalogs, catalogOf(1, 1_500)]);
    expect(countsOf(shelf, [2, 3])).toEqual([0, 0]);
    expect(countsOf(shelf, [1])[0]).toBeGreaterThan(700);
  });

  it('counts long texts as several models', () => {
    const tags = Array.from({ length: 64 }, (_, i) => `${i}`.padEnd(64, 'x'));
    const [long, short] = [catalogOf(1, 200, { tags }), catalogOf(2, 200)];
    const shelf = new PartShelf({ isMember: () => true, most: 600 });
    for (const { head } of [long, short]) shelf.setHead(head);
    fill(shelf, [long, short]);
    const [few, all] = countsOf(shelf, [1, 2]) as [number, number];
    expect(all).toBe(200);
    expect(few).toBeLessThan(100);
  });

  it('asks for a part of each node in turn', () => {
    const [huge, small, other] = [catalogOf(1, 2_000), catalogOf(2, 5), catalogOf(3, 5)];
    const shelf = new PartShelf({ isMember: () => true });
    for (const { head } of [huge, small, other]) shelf.setHead(head);
    expect(new Set(shelf.missing(3))).toEqual(new Set([huge, small, other].map(({ head }) => head.parts[0])));
    const [wanted] = small.head.parts;
    expect(shelf.missing(9_999, (hash) => hash !== wanted)).toEqual([wanted]);
  });

  it('takes a part that one node names rightly, even though another names it wrongly', () => {
    const honest = catalogOf(2, 600);
    const [first = '', second = ''] = honest.head.parts;
    const swapped = { ...honest.head, key: keyTextOf(1), parts: [second, first, ...honest.head.parts.slice(2)] };
    const heavier = { ...honest.head, key: keyTextOf(3), weights: honest.head.weights.map((weight) => weight + 1) };
    const shelf = new PartShelf({ isMember: () => true });
    for (const head of [swapped, heavier, honest.head]) shelf.setHead(head);
    fill(shelf, [honest]);
    expect(countsOf(shelf, [2, 3])).toEqual([600, 0]);
    expect(countsOf(shelf, [1])[0]).toBeLessThan(600);
  });

  it('refuses a part of another weight than its head says, and one with more models', () => {
    const { head, parts } = catalogOf(1, 10);
    const [bytes = new Uint8Array()] = [...parts.values()];
    const shelf = new PartShelf({ isMember: () => true });
    shelf.setHead({ ...head, weights: [1] });
    expect(() => shelf.take(bytes)).toThrow('does not weigh what its head says');
    expect(shelf.missing(9)).toEqual([]);
    shelf.setHead({ ...head, modelCount: 9 });
    expect(() => shelf.take(bytes)).toThrow('more models');
    shelf.setHead(head);
    expect(shelf.take(bytes)).toBe(true);
    expect(shelf.bytesOf(partHash(bytes))).toBeDefined();
  });
});
