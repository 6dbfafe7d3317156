import { describe, expect, it } from '@jest/globals';
import type { Digest, ModelContents, ModelPath } from '@model-rtc/protocol';
import { disagreement, mergeContents } from '../../../src/core/provider/merge-contents.ts';
import { gitSha1, hubContents, spannedContents, staticContents } from '../../support/contents.ts';
import { contentsOf, makeModel, seededBytes } from '../../support/models.ts';

const model = makeModel({ a: seededBytes(5000, 1), b: Buffer.from('{}') }, [700]);
const whole = contentsOf(model);
const hub = hubContents(model, 1000);
const registry = staticContents(model);
const reversed = (contents: ModelContents): ModelContents => ({ ...contents, files: contents.files.toReversed() });

describe('what several know of one model', () => {
  it('is all that each knows, whatever the order', () => {
    const merged = {
      files: [
        { path: 'a', size: 5000, sha256: model.manifest.files[0]?.sha256 },
        { path: 'b', size: 2, gitSha1: gitSha1(Buffer.from('{}')) },
      ],
      chunks: model.manifest.chunks,
    };
    for (const [a, b] of [
      [hub, registry],
      [registry, hub],
      [registry, reversed(hub)],
      [reversed(hub), registry],
    ] as const) {
      expect(disagreement(a, b)).toBeUndefined();
      expect(mergeContents(a, b)).toEqual(merged);
    }
  });

  it('is the manifest when one of them has it', () => {
    for (const other of [hub, registry, whole, reversed(hub)]) {
      expect(disagreement(other, whole)).toBeUndefined();
      expect(disagreement(whole, other)).toBeUndefined();
      const { version: _, ...known } = { version: 1, ...whole };
      expect(mergeContents(other, whole)).toEqual(known);
      expect(mergeContents(whole, other)).toEqual(known);
    }
  });

  it('keeps digests of spans where nothing else shows that both mean the same bytes, in their order of the files', () => {
    const two = makeModel({ a: seededBytes(5000, 1), b: seededBytes(900, 2) }, [2500, 2500, 900]);
    const spanned = spannedContents({ ...two, files: new Map([...two.files].reverse()) }, 1300);
    const registry = { ...spanned, files: spanned.files.toReversed() };
    const [first, second, third] = two.manifest.chunks;
    for (const merged of [mergeContents(registry, contentsOf(two)), mergeContents(contentsOf(two), registry)]) {
      expect(merged).toMatchObject({ spans: registry.spans, chunks: [third, first, second], digest: two.digest });
      expect(merged.files.map(({ path }) => path)).toEqual(['b', 'a']);
    }
    const hashed = { ...registry, files: two.manifest.files.toReversed() };
    expect(mergeContents(hashed, contentsOf(two)).spans).toBeUndefined();
  });

  it('goes by spans alone where chunks in several files would have to move', () => {
    const two = makeModel({ a: seededBytes(5000, 1), b: seededBytes(900, 2) }, [5900]);
    const spanned = spannedContents({ ...two, files: new Map([...two.files].reverse()) }, 1300);
    const registry = { ...spanned, files: spanned.files.toReversed() };
    const merged = mergeContents(registry, contentsOf(two));
    expect(merged).toMatchObject({ spans: registry.spans, digest: two.digest });
    expect(merged.chunks).toBeUndefined();
  });

  const [a, b] = hub.files as [ModelContents['files'][number], ModelContents['files'][number]];
  const others: [string, ModelContents, string][] = [
    ['a file that is missing', { files: [a] }, 'b is not there'],
    ['a file more', { files: [a, b, { ...b, path: 'c' as ModelPath }] }, 'more files'],
    ['another size', { files: [a, { ...b, size: 3 }] }, 'b has another size'],
    ['another SHA-256', { files: [{ ...a, sha256: 'f'.repeat(64) as Digest }, b] }, 'a has another SHA-256'],
    ['another git hash', { files: [a, { ...b, gitSha1: 'f'.repeat(40) }] }, 'b is another one for git'],
    ['a digest that the files together do not give', { ...whole, digest: 'f'.repeat(64) as Digest }, 'digest'],
  ];
  it.each(others)('does not agree with %s', (_what, other, why) => {
    expect(disagreement(hub, other)).toContain(why);
  });

  it('does not hold the hash of a pointer in git against the SHA-256 of the file', () => {
    const pointer = { ...hub, files: hub.files.map((file) => ({ ...file, gitSha1: 'e'.repeat(40) })) };
    expect(disagreement(pointer, whole)).toBeUndefined();
    expect(mergeContents(pointer, whole).files.every((file) => !('gitSha1' in file))).toBe(true);
  });
});
