import { describe, expect, it } from '@jest/globals';
import { type Digest, ModelRtcError, sha256Digest, unpackValue } from '@model-rtc/protocol';
import fc from 'fast-check';
import { CatalogBook, TwoNodesError } from '../../src/core/catalog/catalog-book.ts';
import { type OwnAnnouncement, signHead } from '../../src/core/catalog/head.ts';
import { decodeRecord, signRecord } from '../../src/core/record.ts';
import type { MeshModel } from '../../src/types.ts';
import { damaged, identityOf, keyTextOf, MESH_ID, START_MS } from '../support/people.ts';

const digestOf = (number: number): Digest => sha256Digest(Buffer.from(`model ${number}`));

function modelOf(number: number, fields: Partial<MeshModel> = {}): MeshModel {
  const digest = digestOf(number);
  const texts = { name: `model-${number}`, type: 'llama', source: 'hub' as const };
  return { digest, modelId: digest.slice(0, 8), ...texts, sizeBytes: 1000, capabilities: [], tags: [], ...fields };
}

const own = (models: readonly MeshModel[], fields: Partial<OwnAnnouncement> = {}): OwnAnnouncement => ({
  ...{
    name: 'node-2',
    role: 'worker',
    tags: ['lab'],
    properties: { gpu_memory: 16 },
    urls: ['ws://10.0.0.2:1'],
    models,
  },
  ...fields,
});

const signed = (sequence: number, models: readonly MeshModel[], nowMs = START_MS, node = 2) =>
  signHead(identityOf(node), { meshId: MESH_ID, own: own(models), sequence, nowMs });

function bookAt(clock: { nowMs: number } = { nowMs: START_MS }): CatalogBook {
  return new CatalogBook({ meshId: MESH_ID, wallMs: () => clock.nowMs, isMember: (key) => key === keyTextOf(2) });
}

function give(book: CatalogBook, { record, parts }: ReturnType<typeof signed>): void {
  book.take(record);
  for (const { bytes } of parts) book.takePart(bytes);
}

describe('CatalogBook', () => {
  it('has the models of a node once their parts are here, and asks for no more than what changed', () => {
    const models = Array.from({ length: 300 }, (_, i) => modelOf(i));
    const book = bookAt();
    give(book, signed(1, models));
    expect(book.modelsOf(keyTextOf(2))).toHaveLength(300);
    const next = signed(2, [...models, modelOf(300)]);
    book.take(next.record);
    expect(next.parts.length).toBeGreaterThan(2);
    expect(book.missingParts(10)).toHaveLength(1);
  });

  it('has a model without the tags and the license that nobody could show', () => {
    const book = bookAt();
    const tags = ['lab', 'x'.repeat(65), 'two\nlines', ...Array.from({ length: 70 }, (_, i) => `tag-${i}`)];
    give(book, signed(1, [modelOf(1, { tags, license: 'a\u001b[2Jb', version: '1.0' })]));
    const [model] = book.modelsOf(keyTextOf(2));
    expect(model).toMatchObject({ name: 'model-1', version: '1.0' });
    expect(model?.license).toBeUndefined();
    expect(model?.tags).toHaveLength(64);
    expect(model?.tags.slice(0, 2)).toEqual(['lab', 'tag-0']);
  });

  it('refuses an older catalog, a replay, one from the future, and one of a node that is no member', () => {
    const book = bookAt();
    const first = signed(1, [modelOf(1)]);
    give(book, first);
    give(book, signed(2, []));
    expect(book.take(first.record)).toBeUndefined();
    expect(book.modelsOf(keyTextOf(2))).toEqual([]);
    expect(() => book.take(signed(3, [], START_MS + 121_000).record)).toThrow('future');
    expect(() => book.take(signed(3, [], START_MS, 3).record)).toThrow('no member');
    expect(() => book.take(damaged(signed(3, []).record))).toThrow();
  });

  it('takes it again when its clock was set right, and after a month away', () => {
    const clock = { nowMs: START_MS };
    const book = bookAt(clock);
    expect(() => book.take(signed(1, [], START_MS + 3_600_000).record)).toThrow('future');
    expect(book.take(signed(2, [], START_MS).record)).toBe(keyTextOf(2));
    clock.nowMs += 30 * 86_400_000;
    expect(book.take(signed(3, [], clock.nowMs).record)).toBe(keyTextOf(2));
    clock.nowMs = START_MS;
    expect(book.take(signed(4, [], START_MS).record)).toBe(keyTextOf(2));
  });

  it('counts no catalog of two nodes with one key until only one was heard for seven minutes', () => {
    const clock = { nowMs: START_MS };
    const book = bookAt(clock);
    give(book, signed(1, [modelOf(1)]));
    expect(() => book.take(signed(1, [modelOf(2)]).record)).toThrow(TwoNodesError);
    give(book, signed(2, [modelOf(1)]));
    expect(book.modelsOf(keyTextOf(2))).toEqual([]);
    clock.nowMs += 419_999;
    expect(book.modelsOf(keyTextOf(2))).toEqual([]);
    clock.nowMs += 1;
    expect(book.modelsOf(keyTextOf(2))).toHaveLength(1);
  });

  it('takes only so many catalogs of a node in a minute, whoever passes them on', () => {
    const clock = { nowMs: START_MS };
    const book = bookAt(clock);
    for (let i = 1; i <= 60; i++) book.take(signed(i, []).record);
    expect(() => book.take(signed(61, []).record)).toThrow('more catalogs');
    clock.nowMs += 60_000;
    expect(book.take(signed(61, []).record)).toBe(keyTextOf(2));
  });

  it('takes no more models than the head says, however long the parts are', () => {
    const book = bookAt();
    const { record, parts } = signed(1, [modelOf(1), modelOf(2), modelOf(3)]);
    const body = { ...headFields(record.body), modelCount: 2 };
    book.take(signRecord('model_catalog', body, [identityOf(2)]));
    expect(() => book.takePart(parts[0]?.bytes as Uint8Array)).toThrow('more models than its head says');
    const million = { ...headFields(record.body), sequence: 2, modelCount: 1_000_000 };
    expect(() => book.take(signRecord('model_catalog', million, [identityOf(2)]))).toThrow('modelCount');
  });

  it('ignores parts that no head names, and refuses models in the wrong part or with names that nobody can show', () => {
    const book = bookAt();
    expect(book.takePart(new Uint8Array([0x90]))).toBe(false);
    const esc = signed(1, [modelOf(1, { name: '\u001b[2Jgone' }), modelOf(2, { name: 'a\u202eb' }), modelOf(3)]);
    give(book, esc);
    expect(book.modelsOf(keyTextOf(2)).map(({ name }) => name)).toEqual(['model-3']);
    const named = { ...headFields(signed(2, []).record.body), name: '../../etc' };
    expect(() => book.take(signRecord('model_catalog', named, [identityOf(2)]))).toThrow('name');
  });

  it('counts no part that a head names often, and none of a head that names the parts of others', () => {
    const book = new CatalogBook({ meshId: MESH_ID, wallMs: () => START_MS, isMember: () => true });
    const { record, parts } = signed(1, [modelOf(1), modelOf(2), modelOf(3)]);
    const [part] = parts;
    const hash = Buffer.from(part?.hash ?? '', 'hex');
    const repeated = {
      ...headFields(record.body),
      parts: Array.from({ length: 1_024 }, () => new Uint8Array(hash)),
      weights: Array.from({ length: 1_024 }, () => 3),
    };
    book.take(record);
    book.takePart(part?.bytes as Uint8Array);
    const copied = { ...repeated, node: identityOf(3).publicKey, modelCount: 1 };
    book.take(signRecord('model_catalog', copied, [identityOf(3)]));
    expect(book.modelsOf(keyTextOf(3))).toEqual([]);
    book.take(signRecord('model_catalog', { ...repeated, sequence: 2 }, [identityOf(2)]));
    expect(book.modelsOf(keyTextOf(2))).toEqual([]);
  });

  it('asks for the parts of all catalogs in turn, and never again for one that is wrong', () => {
    const book = new CatalogBook({ meshId: MESH_ID, wallMs: () => START_MS, isMember: () => true });
    const many = signed(1, [modelOf(1)]);
    const never = Array.from({ length: 1_024 }, (_, i) => new Uint8Array(32).fill(1 + (i % 250)));
    book.take(
      signRecord('model_catalog', { ...headFields(many.record.body), parts: never, weights: never.map(() => 1) }, [
        identityOf(2),
      ]),
    );
    const { record, parts } = signed(1, [modelOf(1), modelOf(2)], START_MS, 3);
    const [hash] = parts.map((part) => part.hash);
    book.take(signRecord('model_catalog', { ...headFields(record.body), modelCount: 1 }, [identityOf(3)]));
    expect(book.missingParts(9_999).slice(0, 2)).toContain(hash);
    expect(() => book.takePart(parts[0]?.bytes as Uint8Array)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ culprit: keyTextOf(3) }) }),
    );
    expect(book.missingParts(9_999)).not.toContain(hash);
    expect(book.missingParts(9_999)).toHaveLength(250);
  });

  it('tells by how much the clock of a node is ahead that signs in the future, and of nobody where the signature is wrong', () => {
    const book = bookAt();
    const later = signed(1, [], START_MS + 3_600_000).record;
    const forged = signRecord('model_catalog', headFields(later.body), [identityOf(3)]);
    expect(() => book.take(forged)).toThrow('signature');
    expect(book.aheadMs()).toEqual(new Map());
    expect(() => book.take(later)).toThrow('from the future');
    expect(book.aheadMs()).toEqual(new Map([[keyTextOf(2), 3_600_000]]));
    expect(book.lastSequence(keyTextOf(2))).toBe(1);
    give(book, signed(2, []));
    expect(book.aheadMs()).toEqual(new Map());
  });

  it('forgets what a node said before when it changes its models all the time', () => {
    const book = bookAt();
    const [first, ...later] = [1, 2, 3].map((sequence) => {
      const { record, parts } = signed(sequence, [modelOf(sequence)]);
      const body = { ...headFields(record.body), modelCount: 10_000 };
      return { record: signRecord('model_catalog', body, [identityOf(2)]), parts };
    }) as [ReturnType<typeof signed>, ...ReturnType<typeof signed>[]];
    give(book, first);
    expect(book.part(first.parts[0]?.hash ?? '')).toBeDefined();
    for (const next of later) give(book, next);
    expect(book.part(first.parts[0]?.hash ?? '')).toBeUndefined();
    expect(book.modelsOf(keyTextOf(2))).toHaveLength(1);
  });

  it('refuses an address that is none of a web server', () => {
    const fields = headFields(signed(1, []).record.body);
    const taken = (bridgeUrl: string) => () =>
      bookAt().take(signRecord('model_catalog', { ...fields, bridgeUrl }, [identityOf(2)]));
    expect(taken('http://10.0.0.2:14345')()).toBe(keyTextOf(2));
    for (const url of ['javascript:alert(1)', 'http://a/\u001b[2J', 'file:///etc/passwd'])
      expect(taken(url)).toThrow('bridgeUrl');
  });

  it('fails in one way for any bytes', () => {
    const { record, parts } = signed(1, [modelOf(1)]);
    fc.assert(
      fc.property(fc.nat(record.bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = record.bytes.slice();
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        const book = bookAt();
        expect(() => book.take(decodeRecord(bytes))).toThrow(ModelRtcError);
        give(book, { record, parts });
        expect(book.modelsOf(keyTextOf(2))).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });
});

function headFields(body: Uint8Array): Record<string, unknown> {
  return unpackValue(body) as Record<string, unknown>;
}
