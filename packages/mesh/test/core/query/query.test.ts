import { describe, expect, it } from '@jest/globals';
import type { ModelRtcError } from '@model-rtc/protocol';
import fc from 'fast-check';
import { type Condition, parseWhere } from '../../../src/core/query/parse-where.ts';
import { knownProperties, queryNodes } from '../../../src/core/query/query-nodes.ts';
import type { MeshProperty } from '../../../src/types.ts';

interface Made {
  readonly name: string;
  readonly properties?: Record<string, MeshProperty>;
  readonly tags?: string[];
  readonly isPresent?: boolean;
  readonly reliability?: number;
}

function node({ name, properties = {}, tags = [], isPresent = true, reliability = 1 }: Made) {
  return { key: name.padEnd(64, '0'), name, role: 'worker' as const, properties, tags, isPresent, reliability };
}

const GPU = node({
  name: 'gpu',
  properties: { gpu_memory: 80, load: 0.9, os: 'linux', cuda: true },
  tags: ['lab', 'big'],
});
const BOX = node({ name: 'box', properties: { gpu_memory: 16, load: 0.1, os: 'Linux' }, tags: ['lab'] });
const LAPTOP = node({ name: 'laptop', properties: { load: 0.2, os: 'darwin' } });
const ALL = [LAPTOP, BOX, GPU];

const found = (text: string, rest: object = {}): string[] =>
  queryNodes(ALL, { where: parseWhere(text), ...rest }).map(({ name }) => name);

describe('conditions on nodes', () => {
  it.each([
    ['gpu_memory >= 16', ['box', 'gpu']],
    ['gpu_memory>16', ['gpu']],
    ['gpu_memory <= 16', ['box']],
    ['gpu_memory < 16', []],
    ['os = linux', ['box', 'gpu']],
    ['os == "Linux"', ['box', 'gpu']],
    ['os != linux', ['laptop']],
    ['cuda = true', ['gpu']],
    ["name = 'box'", ['box']],
    ['role = worker and load < 0.5', ['box', 'laptop']],
    ['gpu_memory >= 16, load < 5e-1', ['box']],
    ['gpu_memory >= 16 && load > .5', ['gpu']],
    ['{"gpu_memory": {"$gte": 16}, "os": "linux"}', ['box', 'gpu']],
    ['{"gpu_memory": {"$gt": 16, "$lte": 80}}', ['gpu']],
    ['{"os": {"$ne": "linux"}}', ['laptop']],
    ['{"cuda": {"$eq": true}}', ['gpu']],
    ['{"load": {"$lt": 0.5}}', ['box', 'laptop']],
    ['{}', ['box', 'gpu', 'laptop']],
  ])('finds by %s', (text, names) => {
    expect(found(text)).toEqual(names);
  });

  it('finds and ranks by what this machine measured, whatever the nodes announce', () => {
    const near = { ...node({ name: 'near', reliability: 0.5 }), latencyMs: 2, modelCount: 3 };
    const announced = { latency: 0, reliability: 9, models: 99, name: 'near', role: 'client' };
    const liar = { ...node({ name: 'liar', properties: announced }), latencyMs: 80, modelCount: 0 };
    const unasked = node({ name: 'unasked', properties: announced });
    const nodes = [unasked, liar, near];
    const by = (text: string, best?: string) =>
      queryNodes(nodes, { where: parseWhere(text), best }).map(({ name }) => name);
    expect(by('latency < 10')).toEqual(['near']);
    expect(by('reliability >= 0.9')).toEqual(['liar', 'unasked']);
    expect(by('models > 0')).toEqual(['near']);
    expect(by('name = near and role = worker')).toEqual(['near']);
    expect(by('{}', 'latency')).toEqual(['near', 'liar', 'unasked']);
    expect(by('{}', 'models')).toEqual(['near', 'liar', 'unasked']);
  });

  it('can be asked about whatever a node says, and what is known of all', () => {
    const own = ['latency', 'models', 'name', 'reliability', 'role'];
    expect(knownProperties(ALL)).toEqual([...own, 'cuda', 'gpu_memory', 'load', 'os'].sort());
  });

  it('leaves out a node that says nothing about a property, whatever is asked', () => {
    expect(found('gpu_memory != 1')).toEqual(['box', 'gpu']);
    expect(queryNodes([LAPTOP], { where: parseWhere('toString != 1') })).toEqual([]);
  });

  it.each([
    ['', 'the name of a property at character 1, found the end'],
    ['gpu_memory', 'one of >= <= != > < = at character 11, found the end'],
    ['gpu_memory >= ', 'a value'],
    ['gpu_memory ~ 16', 'at character 12, found "~ 16"'],
    ['gpu_memory >= 16 or load < 1', '"and" or the end at character 18'],
    ['gpu_memory >= 16 and', 'found "and"'],
    ['os >= linux', 'needs a number, not "linux"'],
    ['{"gpu_memory": {"$gte": "16"}}', 'needs a number'],
    ['{"gpu_memory": {"$near": 16}}', 'the operator "$near"; use $gte $lte'],
    ['{"gpu_memory": {"constructor": 16}}', 'the operator "constructor"'],
    ['{"gpu_memory": [16]}', 'takes a value, or an object'],
    ['{"gpu_memory": {}}', 'takes a value, or an object'],
    ['{"gpu_memory": {"$eq": null}}', 'compared with a number'],
    ['{"__proto__": 1}', "no property's name"],
    ['{"gpu_memory"', 'begins like JSON and is not valid JSON'],
    ['x'.repeat(5000), 'more than 4096 characters'],
    [Array.from({ length: 33 }, () => 'a=1').join(','), 'more than 32 conditions'],
  ])('says where %s goes wrong', (text, sentence) => {
    expect(() => parseWhere(text)).toThrow(
      expect.objectContaining({ code: 'bad_argument', message: expect.stringContaining(sentence) }),
    );
  });

  it('fails on any other text with the same code alone', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        let conditions: readonly Condition[] = [];
        try {
          conditions = parseWhere(text);
        } catch (error) {
          expect((error as ModelRtcError).code).toBe('bad_argument');
        }
        expect(queryNodes(ALL, { where: conditions }).length).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe('the order of nodes', () => {
  it('puts those with the most of a property first, and those without it last', () => {
    expect(found('{}', { best: 'gpu_memory' })).toEqual(['gpu', 'box', 'laptop']);
    expect(found('{}', { best: 'cuda' })).toEqual(['gpu', 'box', 'laptop']);
  });

  it('puts the least load first', () => {
    expect(found('{}', { best: 'load' })).toEqual(['box', 'laptop', 'gpu']);
  });

  it('needs all tags', () => {
    expect(found('{}', { tags: ['lab'] })).toEqual(['box', 'gpu']);
    expect(found('{}', { tags: ['lab', 'big'] })).toEqual(['gpu']);
  });

  it('prefers present and reliable nodes, and does not depend on the order of the input', () => {
    const nodes = [
      node({ name: 'a', isPresent: false }),
      node({ name: 'b', reliability: 0.5 }),
      node({ name: 'c' }),
      node({ name: 'd', reliability: 0.5 }),
    ];
    const names = (given: typeof nodes): string[] => queryNodes(given, {}).map(({ name }) => name);
    expect(names(nodes)).toEqual(['c', 'b', 'd', 'a']);
    expect(names(nodes.toReversed())).toEqual(['c', 'b', 'd', 'a']);
    expect(queryNodes(nodes, { best: 'reliability' }).at(0)?.name).toBe('c');
  });
});
