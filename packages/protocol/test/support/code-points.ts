import fc from 'fast-check';

/**
 * Any character of Unicode. The unit `binary` of fast-check is the same, but makes a table of a million entries in each
 * file that uses it, which takes seconds and 88 MB.
 */
const anyCharacter = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xd7_ff }),
    fc.integer({ min: 0xe0_00, max: 0x10_ff_ff }),
  )
  .map((codePoint) => String.fromCodePoint(codePoint));

/** Text of any characters, those included that nobody would type. */
export function anyText(size: { readonly minLength?: number; readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ unit: anyCharacter, ...size });
}
