import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type SampleName, sample } from '../../../../test/support/model-samples.ts';
import { runs } from '../../../../test/support/runs.ts';
import { entriesOf } from '../../src/pickle/values.ts';
import { type PickleWalk, walkPickle } from '../../src/pickle/walk-pickle.ts';
import { arrayReader } from '../bytes/readers.ts';
import { raw, unicode } from '../code/read-samples.ts';

async function walk(...parts: (string | Uint8Array)[]): Promise<PickleWalk> {
  return await walkPickle(arrayReader(raw(...parts)), 0);
}

async function importsOf(...parts: (string | Uint8Array)[]): Promise<string[]> {
  return (await walk(...parts)).imports.map(({ module, name }) => `${module}.${name}`);
}

describe('walkPickle', () => {
  it.each<SampleName>(['evilProtocol0', 'evilProtocol2', 'evilProtocol4', 'evilProtocol5'])(
    'follows what Python writes to its end and names what it imports (%s)',
    async (name) => {
      const found = await walk(sample(name));
      expect(found).toMatchObject({ outcome: 'stop', calls: true, end: sample(name).length });
      expect(found.imports.map(({ module, name: item }) => `${module}.${item}`)).toEqual(
        expect.arrayContaining(['posix.system', 'collections.OrderedDict']),
      );
      const top = entriesOf(found.value);
      expect(top?.get('w')).toEqual({ kind: 'list', items: [1, 2.5, 'x', 2n ** 80n, true, null] });
      expect(entriesOf(top?.get('o'))?.get('a')).toBe(1);
    },
  );

  it('reads numbers of every opcode as Python does', async () => {
    const { value } = await walk(
      '\x80\x02(I-7\nI01\nL12345678901234567890L\nF-1.5\nJ\xff\xff\xff\xffK\xffM\x01\x02\x8a\x01\xff\x8a\x02\xff\x00\x8a\x00',
      'G\x3f\xf8\x00\x00\x00\x00\x00\x00l.',
    );
    expect(value).toEqual({
      kind: 'list',
      items: [-7, true, 12345678901234567890n, -1.5, -1, 255, 513, -1, 255, 0, 1.5],
    });
  });

  it('sees through every way to write a name', async () => {
    expect(await importsOf("(S'\\x6fs'\nS'\\163ystem'\n\x93.")).toEqual(['os.system']);
    expect(await importsOf('V\\u006fs\nVsystem\n\x93.')).toEqual(['os.system']);
    expect(await importsOf('U\x02osT\x06\x00\x00\x00system\x93.')).toEqual(['os.system']);
    expect(await importsOf('\x80\x04', unicode('os'), '\x940', unicode('system'), '\x940h\x00h\x01\x93.')).toEqual([
      'os.system',
    ]);
    expect(await importsOf('Vos\np1_0\n0g10\nVsystem\n\x93.')).toEqual(['os.system']);
    expect(await importsOf('Vos\nVsystem\n2(0\x93.')).toEqual(['system.system']);
    expect(await importsOf('(ios\nsystem\n.')).toEqual(['os.system']);
    expect(await importsOf('(cos\nsystem\nVid\no.')).toEqual(['os.system']);
  });

  it('says that a name is computed where it is no text', async () => {
    expect(await importsOf('(Vo\nVs\nlVsystem\n\x93.')).toEqual(['?.system']);
    expect(await importsOf('\x82\x05.')).toEqual(['copyreg.?']);
  });

  it('names what Python in Python imports at an end without a newline', async () => {
    // It takes all but the last byte for the line, and imports before it notices that there is no more.
    expect(await importsOf('cos\nsystemX')).toEqual(['os.system']);
  });

  it('takes what crosses the end of a frame for an import that it cannot see', async () => {
    const frame = (length: number) => `\x80\x04\x95${String.fromCharCode(length)}\0\0\0\0\0\0\0`;
    // Python's fast unpickler loses "junk", which ends the frame, and imports os.system.
    expect(await importsOf(frame(5), 'cjunk', 'os\nsystem\n.')).toContain('?.?');
    expect(await importsOf(frame(3), 'C\x04a', 'bcd.')).toEqual(['?.?']);
    expect(await importsOf(frame(12), 'N\x95\x20\0\0\0\0\0\0\0N00N.')).toContain('?.?');
    expect(await importsOf(frame(12), 'cos\nsystem\n', '.')).toEqual(['os.system']);
  });

  it('names what is imported before a pickle breaks, and what was dropped again', async () => {
    const broken = await walk('cos\nsystem\n0\xff');
    expect(broken).toMatchObject({ outcome: 'broken', end: 13, imports: [{ module: 'os', name: 'system' }] });
    for (const bytes of ['cos\nsystem\n(Vid\ntR', 'cos\nsystem\n0X\xff\xff\xff\xff', 'cos\nsystem\nh\x07.']) {
      expect(await walk(bytes)).toMatchObject({ outcome: 'broken', imports: [{ module: 'os' }] });
    }
  });

  it.each([
    ['an empty stack', '0.'],
    ['a value below a mark', 'K\x01(R.'],
    ['a missing mark', 't.'],
    ['a memo that was never filled', 'h\x00.'],
    ['a protocol of the future', '\x80\x06N.'],
    ['a negative length', 'T\xff\xff\xff\xffN.'],
    ['an end within a number', 'J\x00'],
    ['nothing at all', ''],
  ])('refuses %s, as Python does', async (_what, bytes) => {
    expect(await walk(bytes)).toMatchObject({ outcome: 'broken', imports: [] });
  });

  it('reads on over bytes of any length without keeping them', async () => {
    const length = Buffer.alloc(8);
    length.writeUInt32LE(3_000_000);
    const found = await walk('\x80\x04\x8e', length, Buffer.alloc(3_000_000, 'c'), '0cos\nsystem\n.');
    expect(found).toMatchObject({ outcome: 'stop', imports: [{ module: 'os', name: 'system' }] });
  });

  it('gives up on more values than fit into memory, and not on many that go at once', async () => {
    expect((await walk(Buffer.alloc(1_200_000, 'N'))).outcome).toBe('too_large');
    expect((await walk('N', Buffer.from(')0'.repeat(1_200_000)), '.')).outcome).toBe('stop');
  });

  it('keeps nothing of a chain of containers without end', async () => {
    const found = await walk('N', Buffer.alloc(1_500_000, '\x85', 'latin1'), 'cos\nsystem\n.');
    expect(found).toMatchObject({ outcome: 'stop', imports: [{ module: 'os' }] });
  });

  it('ends for any bytes, and never fails but for the reader', async () => {
    const names: SampleName[] = ['evilProtocol0', 'evilProtocol4', 'joblibObjects'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(400),
        fc.uint8Array({ maxLength: 60 }),
        fc.boolean(),
        async (name, at, bytes, replaces) => {
          const valid = sample(name);
          const tail = replaces ? valid.subarray(at + bytes.length) : valid.subarray(at);
          const mixed = raw(valid.subarray(0, at), bytes, tail);
          const found = await walkPickle(arrayReader(mixed), 0);
          expect(found.end).toBeLessThanOrEqual(mixed.length);
        },
      ),
      { numRuns: runs(400) },
    );
  });

  it('stops when it is cancelled', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(walkPickle(arrayReader(raw('N.')), 0, { signal })).rejects.toThrow('enough');
  });
});
