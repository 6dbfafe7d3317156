import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { manifestSchema, modelContentsSchema, parseManifest, prepareManifest, readManifest } from '../src/index.ts';
import { anyText } from './support/code-points.ts';
import { referenceContents, referenceManifest, verdict } from './support/reference-manifest.ts';

const DIGEST = 'ab'.repeat(32);

/** Names that break a rule, and names that nearly do. */
const name = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom('a', 'A', 'b', 'weights', 'x.bin', 'config.json', '.gitattributes', 'é') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['', '.', '..', 'con', 'CON.txt', 'conin$', 'conical', 'nul.tar', 'nul', 'null', 'com1', 'com1.x', 'com10'],
      ...['com\u00b9', 'lpt0', 'auxiliary', 'aux.', 'prn', 'a ', 'a.', ' a', '.model-rtc', '.MODEL-RTC', 'e\u0301'],
      ...['a\\b', 'c:', 'a:b', '\u0000', '\u007f', '\ud800', '\ufb00', 'stra\u00dfe', 'STRASSE', 'x'.repeat(255)],
      ...['x'.repeat(256), '\u00e9'.repeat(128), '\u{1f600}', '\u20ac'.repeat(85), 'con .txt', 'prn\u00e9'],
    ),
  },
  { weight: 1, arbitrary: anyText({ maxLength: 5 }) },
);
const path = fc.oneof(
  { weight: 20, arbitrary: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/')) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 3_080 }).map((length) => `${'d/'.repeat(length / 2)}${'x'.repeat(length % 2)}`),
  },
  { weight: 1, arbitrary: fc.nat({ max: 520 }).map((length) => `${'x'.repeat(length)}/${'y'.repeat(255)}`) },
);
const odd = fc.constantFrom<unknown>(undefined, null, -1, -0, 1.5, Number.NaN, 2 ** 53, '', 'ab', [], {}, true, 1n);
const oftenly = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 120, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: odd });
const digest = fc.constantFrom(
  DIGEST,
  'cd'.repeat(32),
  DIGEST.toUpperCase(),
  `${DIGEST}\n`,
  DIGEST.slice(1),
  `${DIGEST}0`,
);
const mostlyDigest = oftenly(
  fc.oneof({ weight: 60, arbitrary: fc.constant(DIGEST) }, { weight: 1, arbitrary: digest }),
);

const fields = {
  path: oftenly(path),
  size: oftenly(fc.nat({ max: 3 })),
  sha256: mostlyDigest,
  mode: oftenly(fc.constantFrom(0, 0o644, 0o777, 0o1000)),
  mtimeMs: oftenly(fc.constantFrom(0, 253_402_300_799_999, 253_402_300_800_000)),
  gitSha1: oftenly(fc.constantFrom('ab'.repeat(20), 'AB'.repeat(20))),
  comment: fc.constant('of a newer version'),
};
const requiredKeys = ['path', 'size', 'sha256'] as const;
const listOf = (item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  oftenly(fc.array(oftenly(item), { maxLength: 6 }));
const file = fc.record(fields, { requiredKeys: [...requiredKeys], noNullPrototype: true });
const looseFile = fc.record(fields, { requiredKeys: ['path', 'size'], noNullPrototype: true });
const chunk = fc.record(
  { digest: mostlyDigest, size: oftenly(fc.constantFrom(1, 2, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1)) },
  { requiredKeys: ['size'], noNullPrototype: true },
);
function sizeOf(one: unknown): number {
  const size = typeof one === 'object' && one !== null && 'size' in one ? one.size : 0;
  return typeof size === 'number' ? size : Number.NaN;
}

/** With chunks that cover the files, unless their sizes cannot be added up. */
function covered(value: unknown): unknown {
  const { files } = value as { files?: unknown };
  if (!Array.isArray(files)) return value;
  const bytes = files.reduce((sum, one) => sum + sizeOf(one), 0);
  const chunks = bytes > 0 ? [{ digest: DIGEST, size: bytes }] : [];
  return Number.isSafeInteger(bytes) ? { ...(value as object), chunks } : value;
}
const mostlyCovered = (record: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  oftenly(fc.tuple(record, fc.nat({ max: 3 })).map(([value, n]) => (n === 0 ? value : covered(value))));
const manifest = mostlyCovered(
  fc.record(
    {
      version: oftenly(fc.constant(1)),
      files: listOf(file),
      chunker: oftenly(fc.constant('structure-1')),
      chunks: fc.oneof(fc.constant([]), listOf(chunk)),
    },
    { requiredKeys: ['version', 'files', 'chunker'], noNullPrototype: true },
  ),
);
const contents = mostlyCovered(
  fc.record(
    { digest: mostlyDigest, files: listOf(looseFile), chunker: oftenly(fc.constant('c')), chunks: listOf(chunk) },
    { requiredKeys: ['files'], noNullPrototype: true },
  ),
);

describe('the check by hand', () => {
  it('takes and refuses manifests as the plain schema does, with the same words', () => {
    let taken = 0;
    fc.assert(
      fc.property(manifest, (value) => {
        const expected = verdict(referenceManifest, value);
        if (typeof expected === 'object' && !Array.isArray(expected)) taken++;
        expect(verdict(manifestSchema, value)).toStrictEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    // It is no test if everything is refused.
    expect(taken).toBeGreaterThan(30);
  });

  it('does so for contents', () => {
    let taken = 0;
    fc.assert(
      fc.property(contents, (value) => {
        const expected = verdict(referenceContents, value);
        if (typeof expected === 'object' && !Array.isArray(expected)) taken++;
        expect(verdict(modelContentsSchema, value)).toStrictEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(30);
  });

  it('comes to the same in slices', async () => {
    await fc.assert(
      fc.asyncProperty(manifest, async (value) => {
        const [one, two] = [structuredClone(value), structuredClone(value)];
        await prepareManifest(two);
        expect(verdict(manifestSchema, two)).toStrictEqual(verdict(manifestSchema, one));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a manifest that was checked', () => {
  const files = Array.from({ length: 5_000 }, (_, n) => ({ path: `a/${n}`, size: 0, sha256: DIGEST }));

  it('is not checked again', async () => {
    const manifest = await readManifest({ version: 1, files, chunker: 'c', chunks: [] });
    expect(parseManifest(manifest).files).toBe(manifest.files);
  });
});
