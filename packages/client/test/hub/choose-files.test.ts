import { describe, expect, it } from '@jest/globals';
import { chooseFiles, type FilePatterns } from '../../src/hub/choose-files.ts';

const USUAL = ['config.json', 'model.safetensors', 'tokenizer.json'];
const listed = (paths: readonly string[]) => paths.map((path) => ({ path, size: 10 }));
const chosen = (paths: readonly string[], patterns: FilePatterns = {}) =>
  chooseFiles('org/x', listed(paths), patterns).files.map(({ path }) => path);

describe('the files of a repository that make the model', () => {
  it('are all but its code, programs, hidden files and logs', () => {
    const others = [
      'modeling_x.py',
      'sub/run.PY',
      '.gitattributes',
      'run.sh',
      'lib/x.so',
      'train.log',
      '.cache/a.json',
      'setup.exe',
    ];
    const { files, leftOut } = chooseFiles('org/x', listed([...USUAL, 'README.md', ...others]), {});
    expect(files.map(({ path }) => path)).toEqual([...USUAL, 'README.md']);
    expect(leftOut.map(({ path }) => path)).toEqual(others);
    expect(leftOut[0]).toEqual({ path: 'modeling_x.py', reason: "the repository's own code", bytes: 10 });
  });

  it('are also those that a person includes, and none that they exclude', () => {
    const all = [...USUAL, 'modeling_x.py', 'other.py', 'README.md'];
    expect(chosen(all, { include: ['modeling_*.py'] })).toEqual([...USUAL, 'modeling_x.py', 'README.md']);
    expect(chosen(all, { include: ['*.py'], exclude: ['other.py', 'README.md'] })).toEqual([...USUAL, 'modeling_x.py']);
  });

  it('hold the weights once: safetensors rather than other formats, and none for other programs', () => {
    const copies = [
      'pytorch_model.bin',
      'tf_model.h5',
      'flax_model.msgpack',
      'rust_model.ot',
      'onnx/model.onnx',
      'openvino/m.bin',
    ];
    expect(chosen([...USUAL, ...copies])).toEqual(USUAL);
    expect(chosen(['config.json', 'pytorch_model.bin', 'tf_model.h5'])).toEqual([
      'config.json',
      'pytorch_model.bin',
      'tf_model.h5',
    ]);
    expect(chosen(['config.json', 'onnx/model.onnx'])).toEqual(['config.json', 'onnx/model.onnx']);
    expect(chosen([...USUAL, 'onnx/model.onnx'], { include: ['onnx'] })).toContain('onnx/model.onnx');
  });

  it('are only the weights that a person includes, with all that is no weights', () => {
    const all = ['config.json', 'x-Q4.gguf', 'x-Q8.gguf', 'mmproj-f16.gguf', 'README.md'];
    expect(chosen(all, { include: ['*Q4*'] })).toEqual(['config.json', 'x-Q4.gguf', 'README.md']);
    expect(chooseFiles('org/x', listed(all), { include: ['*Q4*'] }).onlyWeights).toBe('x-Q4.gguf');
  });

  it('have to be chosen where the repository holds several quantisations, but not where it holds one in several files', () => {
    const shards = ['x-Q4-00001-of-00002.gguf', 'x-Q4-00002-of-00002.gguf'];
    expect(chosen(shards)).toEqual(shards);
    const several = () => chosen([...shards, 'x-Q8.gguf']);
    expect(several).toThrow(
      'org/x holds 2 models: x-Q4*.gguf (20 B), x-Q8.gguf (10 B). Choose one, such as --include "x-Q4*.gguf".',
    );
  });

  it('need weights', () => {
    expect(() => chosen(['README.md'])).toThrow('The one file of org/x that would be fetched holds no weights.');
    expect(() => chosen(USUAL, { exclude: ['*.safetensors'] })).toThrow('Change --include and --exclude.');
  });

  it('have names that every machine can have: others are left out, and weights of such a name refused', () => {
    const bad = ['../x.json', 'a/../../b', 'nul', 'a\nb.txt', '.model-rtc/entry.json'];
    expect(chosen([...USUAL, ...bad], { include: ['**'] })).toEqual(USUAL);
    expect(() => chosen([...USUAL, '../evil.safetensors'])).toThrow(/weights that no model here can have/);
  });
});
