import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { zip } from '../../../../test/support/make-zip.ts';
import { type SampleName, sample } from '../../../../test/support/model-samples.ts';
import { runs } from '../../../../test/support/runs.ts';
import { LIGHTGBM, XGBOOST_JSON, XGBOOST_UBJSON } from '../boosters/make-boosters.ts';
import { raw, scanBytes, unicode } from './read-samples.ts';

const EVIL = { isCode: true, suspicious: ['posix.system'] };
const ONLY_DATA = { isCode: false, suspicious: [] };
const PLAIN_CODE = { isCode: true, suspicious: [] };

/** What a tool that loads a file of this name would find in it. */
const FOUND: readonly [SampleName, string, typeof EVIL | typeof ONLY_DATA][] = [
  ['evilProtocol0', 'model.pkl', EVIL],
  ['evilProtocol4', 'model.bin', EVIL],
  ['torchEvil', 'pytorch_model.bin', EVIL],
  ['torchZip', 'best.ckpt', PLAIN_CODE],
  ['torchDeflated', 'best.ckpt', PLAIN_CODE],
  ['torchLegacy', 'best.pth', PLAIN_CODE],
  ['torchScript', 'model.pt', PLAIN_CODE],
  ['joblibEvil', 'model.joblib', EVIL],
  ['joblibObjects', 'model.joblib', EVIL],
  ['joblibZlib', 'model.joblib', EVIL],
  ['joblibGzip', 'model.pkl.gz', EVIL],
  ['npyObjects', 'array.npy', EVIL],
  ['npyFieldNamedO', 'array.npy', ONLY_DATA],
  ['npzObjects', 'arrays.npz', EVIL],
  ['npzNumbers', 'arrays.npz', ONLY_DATA],
  ['kerasLambda', 'model.keras', { isCode: true, suspicious: ['keras.layers.Lambda'] }],
  ['h5Lambda', 'model.h5', { isCode: true, suspicious: ['keras.layers.Lambda'] }],
  ['h5Plain', 'model.h5', ONLY_DATA],
  ['nestedBytes', 'model.pt', EVIL],
  ['nestedText', 'model.pt', EVIL],
  ['nestedHarmless', 'model.pkl', PLAIN_CODE],
];

describe('scanContent on files of the real tools', () => {
  it.each(FOUND)('judges %s as %s', async (name, path, expected) => {
    expect(await scanBytes(sample(name), path)).toEqual(expected);
  });

  it.each(FOUND.filter(([, , { isCode }]) => isCode))('finds %s under a name that says nothing, too', async (name) => {
    expect((await scanBytes(sample(name), 'weights')).isCode).toBe(true);
  });

  it('says so where a pickle is compressed in a way that it cannot unpack', async () => {
    const { isCode, suspicious } = await scanBytes(sample('joblibXz'), 'model.joblib');
    expect([isCode, suspicious]).toEqual([true, [expect.stringContaining('compressed')]]);
  });
});

describe('scanContent on what people name alike', () => {
  it.each([
    ['README.md', '# cats\nand dogs.\n'],
    ['config.json', '{"model_type": "x"}'],
    ['notes.txt', 'cos\nsystem\n'],
    ['list.txt', 'I1\n.'],
    ['weights.bin', '\x00\x01\x02\x03 raw numbers'],
    ['weights.bin', 'weights'],
    ['weights.bin', 'x\x9cnumbers that begin as zlib does'],
    ['empty.pkl', ''],
  ])('takes %s for data', async (name, text) => {
    expect(await scanBytes(raw(text), name)).toEqual(ONLY_DATA);
  });

  it('takes what tools load as a pickle for one, whatever is in it', async () => {
    for (const name of [
      'last.ckpt',
      'a/b.PT',
      'x.pth',
      'x.joblib',
      'training_args.bin',
      'pytorch_model-00001-of-2.bin',
    ]) {
      expect(await scanBytes(raw('weights'), name)).toEqual(PLAIN_CODE);
    }
  });

  it('takes programs beside the weights for code', async () => {
    for (const name of ['modeling_x.py', 'ops/custom.so', 'libops.so.1.2', 'ops.dll', 'convert.sh', 'setup.exe']) {
      expect((await scanBytes(raw('anything'), name)).isCode).toBe(true);
    }
  });

  it('knows programs and scripts by their first bytes', async () => {
    const dos = Buffer.alloc(256);
    dos.write('MZ');
    dos.writeUInt32LE(0x80, 0x3c);
    const pe = Buffer.from(dos);
    pe.write('PE', 0x80);
    const heads = [
      '\x7fELF\x02\x01',
      '\xcf\xfa\xed\xfe\x07',
      '\xca\xfe\xba\xbe\0',
      '#!/bin/sh\necho',
      '#! /usr/bin/env python3\n',
    ];
    for (const bytes of [...heads.map((head) => raw(head)), pe]) {
      expect(await scanBytes(bytes, 'model.bin')).toEqual(PLAIN_CODE);
      expect(await scanBytes(zip({ 'a/tool': bytes }), 'model.zip')).toEqual(PLAIN_CODE);
    }
    for (const bytes of [dos, raw('MZ'), raw('#! a title'), raw('# a title')])
      expect(await scanBytes(bytes, 'model.bin')).toEqual(ONLY_DATA);
  });

  it('finds a pickle that is a valid file of another kind as well, by what its name makes of it', async () => {
    // A safetensors header whose length, 640, is the beginning of a pickle of protocol 2.
    const json = `{"__metadata__":{}}`.padEnd(640);
    const polyglot = raw('\x80\x02\x00\x00\x00\x00\x00\x00', json);
    expect(await scanBytes(polyglot, 'model.safetensors')).toEqual(ONLY_DATA);
    const withImport = raw('\x80\x02', 'cos\nsystem\n', '.');
    expect(await scanBytes(withImport, 'model.safetensors')).toMatchObject({ suspicious: ['os.system'] });
  });
});

describe('scanContent on formats that people use', () => {
  it.each([
    ['model.ubj', XGBOOST_UBJSON],
    ['model.json', XGBOOST_JSON],
    ['model.txt', LIGHTGBM],
    ['model.skops', zip({ 'schema.json': Buffer.from('{}'), '1.npy': sample('npyFieldNamedO') })],
  ])('finds only data in %s', async (name, bytes) => {
    expect(await scanBytes(bytes, name)).toEqual(ONLY_DATA);
  });

  it('finds operations of a SavedModel that reach files, and none in a graph that only computes', async () => {
    const node = (op: string) => raw(`\n\u0001x\u0012${String.fromCharCode(op.length)}${op}`);
    expect(await scanBytes(Buffer.concat([node('MatMul'), node('ReadFileX')]), 'saved_model.pb')).toEqual(ONLY_DATA);
    expect(await scanBytes(Buffer.concat([node('MatMul'), node('WriteFile')]), 'a/saved_model.pb')).toEqual({
      isCode: true,
      suspicious: ['tensorflow.WriteFile'],
    });
  });

  it('knows a llamafile for a program, and an engine for compiled code that nobody can look into', async () => {
    expect(await scanBytes(raw('MZqFpD'), 'mouse.llamafile')).toEqual(PLAIN_CODE);
    for (const name of ['model.engine', 'model.plan']) {
      expect(await scanBytes(raw('ftrt'), name)).toMatchObject({ isCode: true, unexamined: true });
    }
  });
});

describe('scanContent on hostile files', () => {
  it('names imports of a pickle that breaks off, and says that it does', async () => {
    const { suspicious } = await scanBytes(raw('\x80\x02cos\nsystem\n(', unicode('id'), 'tR\xff'), 'model.pkl');
    expect(suspicious).toEqual([
      '(a pickle that cannot be read further than byte 24: it is no pickle from there on)',
      'os.system',
    ]);
  });

  it('says that an import is hidden, where its name is computed or lies across frames', async () => {
    const hidden = '(an import that only loading it would tell)';
    expect((await scanBytes(raw('\x80\x02N]\x93.'), 'model.pkl')).suspicious).toEqual([hidden]);
    const crossing = raw('\x80\x04\x95\x05\0\0\0\0\0\0\0cjunkos\nsystem\n.');
    expect((await scanBytes(crossing, 'model.pkl')).suspicious).toContain(hidden);
  });

  it('looks into the pickles that follow the first one', async () => {
    const found = await scanBytes(raw('\x80\x02N.', '\x80\x02cos\nsystem\n.'), 'model.pkl');
    expect(found).toEqual({ isCode: true, suspicious: ['os.system'] });
  });

  it("does not skip what Python alone would run in the place of joblib's arrays", async () => {
    // As joblib reads it, 100 bytes of an array follow the note; as pickle does, an import.
    const state = raw(
      '}(',
      ...['shape', 'dtype'].flatMap((key) =>
        key === 'shape' ? [unicode(key), '(Kdt'] : [unicode(key), 'cnumpy\ndtype\n(', unicode('u1'), 'tR'],
      ),
      'u',
    );
    const note = raw('\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81', state, 'b');
    const hidden = raw('0cos\nsystem\n.'.padEnd(100));
    expect((await scanBytes(raw(note, hidden, '.'), 'model.pkl')).suspicious).toEqual(['os.system']);
  });

  it('names a loader of bytes whose bytes are put together while it runs', async () => {
    const bytes = raw('\x80\x02ctorch.storage\n_load_from_bytes\n(c__main__\nmake\n)RtR.');
    expect((await scanBytes(bytes, 'model.pt')).suspicious).toEqual(['torch.storage._load_from_bytes']);
  });

  it('lists 32 names at most, none of them long', async () => {
    const imports = Array.from({ length: 50 }, (_, i) => `cos\n${'x'.repeat(500)}${i}\n0`);
    const { suspicious } = await scanBytes(raw('\x80\x02', ...imports, 'N.'), 'model.pkl');
    expect(suspicious.length).toBeLessThanOrEqual(32);
    expect(Math.max(...suspicious.map((name) => name.length))).toBeLessThanOrEqual(256);
  });

  it('marks an archive whose directory is broken, and one with an entry that is elsewhere', async () => {
    const archive = zip({ 'a/data.pkl': sample('evilProtocol2') });
    expect(await scanBytes(archive.subarray(0, -10), 'model.pt')).toMatchObject({
      isCode: true,
      suspicious: ['(an archive that cannot be read)'],
    });
    const moved = Buffer.from(archive);
    moved.writeUInt32LE(0x7fff_ffff, archive.indexOf('PK\x01\x02', 0, 'latin1') + 42);
    expect((await scanBytes(moved, 'model.pt')).suspicious[0]).toContain('entries overlap or lie outside');
  });

  it('finds a pickle in an archive under any name, and among the tensors of none of torch', async () => {
    expect(await scanBytes(zip({ 'x/innocent': sample('evilProtocol4') }), 'model.zip')).toEqual(EVIL);
    expect(await scanBytes(zip({ 'x/data/0': sample('evilProtocol4') }), 'model.zip')).toEqual(EVIL);
    expect(await scanBytes(zip({ 'a.pt': zip({ 'b/data.pkl': sample('evilProtocol2') }) }), 'x.mar')).toEqual(EVIL);
    expect(await scanBytes(zip({ 'handler.py': Buffer.from('x = 1') }), 'model.mar')).toEqual(PLAIN_CODE);
  });

  it('gives up on archives in archives in archives', async () => {
    let archive = zip({ 'data.pkl': sample('evilProtocol2') });
    for (let i = 0; i < 10; i++) archive = zip({ 'inner.pt': archive });
    expect((await scanBytes(archive, 'model.pt')).suspicious).toEqual(['(archives within archives)']);
  });

  it('does not unpack bombs', async () => {
    const zeros = raw('\x80\x02', Buffer.alloc(64 * 1024 * 1024));
    const bomb = zip({ 'a/data.pkl': deflateRawSync(zeros) }, { deflated: true });
    expect(await scanBytes(bomb, 'model.pt')).toMatchObject({
      isCode: true,
      suspicious: [expect.stringContaining('cannot be read')],
    });
    for (const packed of [gzipSync(zeros), deflateSync(zeros)]) {
      expect((await scanBytes(packed, 'model.joblib')).suspicious[0]).toContain('compressed pickle');
    }
  });

  it('ends for any bytes under any name', async () => {
    const names: SampleName[] = ['torchZip', 'torchDeflated', 'npyObjects', 'joblibZlib', 'kerasLambda', 'nestedBytes'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(2000),
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom('x.pt', 'x.bin', 'x', 'x.npy', 'x.joblib'),
        async (name, at, bytes, path) => {
          const valid = sample(name);
          const mixed = raw(valid.subarray(0, at), bytes, valid.subarray(at + bytes.length));
          const { isCode, suspicious } = await scanBytes(mixed, path);
          expect(isCode || suspicious.length === 0).toBe(true);
        },
      ),
      { numRuns: runs(300) },
    );
  });
});
