import { describe, expect, it } from '@jest/globals';
import { bytesReader } from '../../src/bytes/byte-readers.ts';
import { programReason } from '../../src/index.ts';

const ELF = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];
const MACH_O = [0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1];
const PE = Object.assign(new Array<number>(0x84).fill(0), { 0: 0x4d, 1: 0x5a, 60: 0x80, 128: 0x50, 129: 0x45 });
const SCRIPT = [...Buffer.from('#!/usr/bin/env bash\necho')];
const TEXT = [...Buffer.from('weights, for all that anyone knows')];

async function reason(path: string, bytes: readonly number[], isExecutable = false): Promise<string | undefined> {
  return await programReason({ ...bytesReader(Uint8Array.from(bytes)), path }, isExecutable);
}

describe('programReason', () => {
  it.each([
    ['train.sh', TEXT, false, 'a script'],
    ['run.PS1', TEXT, false, 'a script'],
    ['ops.so', TEXT, false, 'a library of machine code'],
    ['lib/ops.so.1.2', TEXT, false, 'a library of machine code'],
    ['ops.dll', TEXT, false, 'a library of machine code'],
    ['ops.dylib', TEXT, false, 'a library of machine code'],
    ['serve.exe', TEXT, false, 'a program'],
    ['serve', ELF, false, 'a program, by its first bytes'],
    ['weights.bin', MACH_O, false, 'a program, by its first bytes'],
    ['model.pt', PE, false, 'a program, by its first bytes'],
    ['config.json', ELF, true, 'a program, by its first bytes'],
    ['launch', SCRIPT, true, 'an executable script'],
    ['launch', SCRIPT, false, undefined],
    ['modeling_x.py', SCRIPT, true, undefined],
    ['model.llamafile', ELF, true, undefined],
    ['model.pt', TEXT, true, undefined],
    ['weights.bin', [0x4d, 0x5a, 0, 0], false, undefined],
    ['empty', [], true, undefined],
  ])('of %s', async (path, bytes, isExecutable, expected) => {
    expect(await reason(path, bytes, isExecutable)).toBe(expected);
  });

  it('opens no file of data that is not executable', async () => {
    const path = 'tokenizer.json';
    const read = async () => {
      throw new Error('it was opened');
    };
    expect(await programReason({ path, size: 9, read }, false)).toBeUndefined();
  });
});
