import { describe, expect, it } from '@jest/globals';
import {
  type Digest,
  MAX_CHUNKS,
  MAX_MESSAGE_BYTES,
  manifestDigest,
  modelDigest,
  modelSize,
  packValue,
  parseManifest,
} from '../src/index.ts';
import { failureOf } from './support/outcome.ts';
import { syntaxCases } from './support/syntax-cases.ts';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const valid = syntaxCases('manifest-valid.txt') as { files: { path: string; size: number; sha256: Digest }[] }[];

describe('a manifest', () => {
  it.each(valid.map((value) => [value]))('is taken: %j', (value) => {
    const manifest = parseManifest(value);
    expect(value).toMatchObject(manifest);
    expect(modelSize(manifest)).toBe(manifest.chunks.reduce((sum, chunk) => sum + chunk.size, 0));
    expect(manifestDigest(manifest)).toBe(modelDigest(value.files));
  });

  it.each(syntaxCases('manifest-invalid.txt').map((value) => [value]))('is refused: %j', (value) => {
    expect(failureOf(() => parseManifest(value)).code).toBe('invalid_model');
  });

  it('drops fields that it does not know', () => {
    const unknown = valid.find((value) => 'signedBy' in value);
    expect(unknown).toBeDefined();
    expect(parseManifest(unknown)).not.toHaveProperty('signedBy');
    expect(parseManifest(unknown).files[0]).not.toHaveProperty('comment');
  });

  it('says where the broken rule is', () => {
    const [first] = valid as [(typeof valid)[number]];
    const bad = { ...first, files: [{ ...first.files[0], path: 'a/../b' }] };
    expect(failureOf(() => parseManifest(bad)).message).toMatch(/files\.0\.path.*"\.\."/);
  });

  it('of the most chunks fits into one message, and one chunk more is refused', () => {
    const chunk = { digest: 'ab'.repeat(32), size: 1_048_576 };
    const chunks = Array.from({ length: MAX_CHUNKS }, () => chunk);
    const file = { path: 'model.gguf', size: MAX_CHUNKS * 1_048_576, sha256: 'ab'.repeat(32) };
    const manifest = { version: 1, files: [file], chunker: 'structure-1', chunks };
    expect(parseManifest(manifest).chunks).toHaveLength(MAX_CHUNKS);
    const bytes = packValue({ type: 'reply', id: 1, result: { manifest } });
    expect(bytes.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    const longer = {
      ...manifest,
      files: [{ ...file, size: file.size + 1 }],
      chunks: [...chunks, { ...chunk, size: 1 }],
    };
    expect(failureOf(() => parseManifest(longer)).code).toBe('invalid_model');
  });
});

it('costs no more to check than to read, however deep its folders are', () => {
  // Each path against each folder above each other took half a minute here.
  const deep = 'a/'.repeat(74);
  const files = Array.from({ length: 40_000 }, (_, n) => ({ path: `${n % 50}/${deep}${n}`, size: 0, sha256: EMPTY }));
  expect(parseManifest({ version: 1, files, chunker: 'c', chunks: [] }).files).toHaveLength(40_000);
  const clash = { ...files[7], path: `${(files[7] as { path: string }).path.toUpperCase()}` };
  expect(() => parseManifest({ version: 1, files: [...files, clash], chunker: 'c', chunks: [] })).toThrow('twice');
});

describe('paths that are too long together', () => {
  const manifestOf = (paths: readonly string[]): unknown => ({
    ...{ version: 1, chunker: 'c', chunks: [] },
    files: paths.map((path) => ({ path, size: 0, sha256: EMPTY })),
  });
  const pathsOf = (count: number, pathOf: (n: string) => string): string[] =>
    Array.from({ length: count }, (_, n) => pathOf(`${n}`.padStart(6, '0')));

  it.each([
    ['a few long ones', pathsOf(341, (n) => `${n}/${'a/'.repeat(1_532)}a`)],
    ['many of 160 bytes each', pathsOf(7_000, (n) => `${n}/${'x'.repeat(153)}`)],
    ['many of 160 bytes each that are fewer characters', pathsOf(7_000, (n) => `${n}/${'\u20ac'.repeat(51)}`)],
  ])('are not %s', (_, paths) => {
    expect(parseManifest(manifestOf(paths)).files).toHaveLength(paths.length);
  });

  it.each([
    ['a few long ones', pathsOf(342, (n) => `${n}/${'a/'.repeat(1_532)}a`)],
    ['many with one byte more than 160 each', [...pathsOf(7_000, (n) => `${n}/${'x'.repeat(153)}`), 'x'.repeat(161)]],
    ['many in other characters', [...pathsOf(7_000, (n) => `${n}/${'\u20ac'.repeat(51)}`), `${'\u20ac'.repeat(53)}xx`]],
  ])('are refused: %s', (_, paths) => {
    expect(outcome(manifestOf(paths))).toMatch(/files: the paths of \d+ files have more than \d+ bytes together/);
  });
});

function outcome(value: unknown): string | number {
  try {
    return parseManifest(value).files.length;
  } catch (error) {
    return (error as Error).message;
  }
}
