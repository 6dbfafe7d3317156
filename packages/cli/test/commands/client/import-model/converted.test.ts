import { describe, expect, it } from '@jest/globals';
import type { RegistryEntry } from '@model-rtc/registry';
import { convertedText } from '../../../../src/commands/client/import-model/converted.ts';

function entry(warnings?: string[]): RegistryEntry {
  return { warnings } as RegistryEntry;
}

describe('what an import says of files that it converted', () => {
  it('is nothing when nobody asked for it', () => {
    expect(convertedText({ entry: entry() })).toBe('');
  });

  it('is that there was nothing to convert', () => {
    expect(convertedText({ entry: entry(), converted: [] })).toMatch(/^There is nothing to convert: /);
  });

  it('is the file, or how many there are, and some of the warnings, without what a terminal would obey', () => {
    const one = { from: 'w.bin', to: 'w.safetensors' };
    expect(convertedText({ entry: entry(), converted: [one] })).toBe(
      'Converted w.bin to w.safetensors; the original stays where it is.',
    );
    const many = convertedText({
      entry: entry(Array.from('abcdefg', (name) => `${name}\u001b[2J`)),
      converted: [one, one],
    });
    expect(many).toMatch(/^Converted 2 files to safetensors; the original stays where it is\.\n {2}a/);
    expect(many).toMatch(/\n {2}and 2 more: see model-info$/);
    expect(many).not.toContain('\u001b');
  });
});
