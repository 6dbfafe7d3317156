import { describe, expect, it } from '@jest/globals';
import { familyOf, plain, requireSupported, WELL_KNOWN_FAMILIES } from '../../src/hub/families.ts';

const clues = { modelType: undefined, libraryName: undefined, files: [] };

describe('the family of a model on a hub', () => {
  it('is what its configuration names, else its library, else the format of its files', () => {
    const files = [{ path: 'q4.GGUF' }];
    expect(familyOf({ ...clues, modelType: 'XLM-RoBERTa', libraryName: 'peft' })).toBe('XLM-RoBERTa');
    expect(familyOf({ ...clues, libraryName: 'sentence-transformers' })).toBe('sentence-transformers');
    expect(familyOf({ ...clues, libraryName: 'transformers', files })).toBe('gguf');
    expect(familyOf({ ...clues, files: [{ path: 'model.onnx' }] })).toBe('onnx');
    expect(familyOf({ ...clues, modelType: ' ', files: [] })).toBeUndefined();
  });

  it('has to be in the list, which a refusal shows, whatever its case and dashes', () => {
    requireSupported('org/x', 'XLM-RoBERTa', WELL_KNOWN_FAMILIES);
    requireSupported('org/x', 'my_model', ['My-Model']);
    const refused = () => requireSupported('org/x', 'strange', ['qwen2', 'llama']);
    expect(refused).toThrow(
      'org/x belongs to the family "strange", which is not in the list of supported ones, so nothing was fetched. Supported: llama, qwen2. To take it all the same, pass --arch-any, or add the family: model-rtc settings set hub.architectures default,strange.',
    );
    expect(() => requireSupported('org/x', undefined, ['llama'])).toThrow(
      'org/x does not say what family it belongs to',
    );
  });

  it('is in the built-in list once, as it is compared', () => {
    expect(new Set(WELL_KNOWN_FAMILIES).size).toBe(WELL_KNOWN_FAMILIES.length);
    expect(WELL_KNOWN_FAMILIES.map(plain)).toEqual(WELL_KNOWN_FAMILIES);
  });
});
