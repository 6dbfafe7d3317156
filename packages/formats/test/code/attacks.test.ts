import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { createReadBudget, type ReadOptions, readFileMetadata, scanFile } from '@model-rtc/formats';
import {
  deflatedZip,
  headerOfArrays,
  longPickle,
  nestedPickles,
  overlappingZip,
  pickleRow,
  spoiltGzip,
} from '../../../../test/support/attack-files.ts';
import { sample } from '../../../../test/support/model-samples.ts';
import { parseBoundedJson } from '../../src/bytes/bounded-json.ts';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { arrayReader } from '../bytes/readers.ts';
import { raw, scanBytes, unicode } from './read-samples.ts';

/** Small enough for tests; what is counted is the same. */
const LIMITS = { opcodes: 100_000, bytes: 4_000_000, parts: 100, workMs: 60_000 };
const UNEXAMINED = { isCode: true, unexamined: true };

async function scanWithin(bytes: Uint8Array, name: string, options: Partial<ReadOptions> = {}) {
  const budget = createReadBudget(LIMITS);
  return await scanFile({ ...arrayReader(bytes), path: name }, { inflate, budget, ...options });
}

const ATTACKS: readonly [string, () => Buffer][] = [
  ['a pickle with too many steps', () => raw('\x80\x02', 'N0'.repeat(100_000), 'N.')],
  ['a pickle with too many values', () => longPickle(1_500_000)],
  ['a pickle with too much text', () => pickleRow(1, 600_000)],
  ['pickles in a row', () => raw('\x80\x02N.'.repeat(200))],
  ['pickles within pickles', () => nestedPickles(6, raw('\x80\x02', 'N0'.repeat(3000), 'N.'))],
  ['pickles nested too deep', () => nestedPickles(10, raw('\x80\x02N.'))],
  ['an archive of long pickles', () => deflatedZip({ 'a/data.pkl': longPickle(3_000_000), b: longPickle(3_000_000) })],
  [
    'an archive of many pickles',
    () => deflatedZip(Object.fromEntries(names(200).map((name) => [name, raw('\x80\x02N.')]))),
  ],
  ['an archive whose entries overlap', () => overlappingZip(2000, longPickle(1000))],
  ['a compressed pickle that is too long', () => gzipSync(longPickle(5_000_000))],
];

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `a/${i}.pkl`);
}

describe('scanFile on files that would cost too much', () => {
  it.each(ATTACKS)('marks %s as not examined, whatever the file is called', async (_what, make) => {
    const bytes = make();
    for (const name of ['w.pt', 'w.safetensors']) expect(await scanWithin(bytes, name)).toMatchObject(UNEXAMINED);
  });

  it('has one budget for all files of a model', async () => {
    const budget = createReadBudget(LIMITS);
    const pickle = raw('\x80\x02', 'N0'.repeat(20_000), 'N.');
    const found: unknown[] = [];
    for (let i = 0; i < 4; i++) found.push((await scanWithin(pickle, `${i}.pt`, { budget })).unexamined);
    expect(found).toEqual([undefined, undefined, true, true]);
    // What its first bytes tell is not examined further, and costs nothing.
    expect(await scanWithin(raw('{"a": 1}'), 'config.json', { budget })).toEqual({ isCode: false, suspicious: [] });
  });

  it('names what was found before the budget ended', async () => {
    const evil = raw('\x80\x02cos\nsystem\n0', 'N0'.repeat(100_000), 'N.');
    expect((await scanWithin(evil, 'w.pt')).suspicious).toContain('os.system');
    const zip = deflatedZip({ 'a.pkl': sample('evilProtocol4'), 'b.pkl': longPickle(200_000) });
    expect((await scanWithin(zip, 'w.pt')).suspicious).toContain('posix.system');
  });

  it('gives up when time is over, without the time that the disk takes', async () => {
    let nowMs = 0;
    const zip = deflatedZip(Object.fromEntries(names(20).map((name) => [name, raw('\x80\x02N.')])));
    const slow = (readMs: number, workMs: number) => {
      const budget = createReadBudget(LIMITS, () => {
        nowMs += workMs;
        return nowMs;
      });
      const { size, read } = arrayReader(zip);
      const reader = {
        size,
        async read(offset: number, length: number) {
          nowMs += readMs;
          return await read(offset, length);
        },
      };
      return scanFile({ ...reader, path: 'w.zip' }, { inflate, budget });
    };
    expect(await slow(60_000, 0)).toEqual({ isCode: true, suspicious: [] });
    expect(await slow(0, 3000)).toMatchObject({
      ...UNEXAMINED,
      suspicious: [expect.stringContaining('more than 60 s')],
    });
  });

  it.each(['deep', 'wide'] as const)('reads no header of %s arrays', async (shape) => {
    const bytes = headerOfArrays(shape);
    expect(await readFileMetadata(arrayReader(bytes))).toBeUndefined();
    const json = bytes.subarray(8, bytes.length - 64);
    const limits = { maxNesting: 8, maxContainers: 400_000 };
    expect(() => parseBoundedJson(json, limits)).toThrow(/nested too deeply|too many lists/);
    expect(parseBoundedJson(raw('{"[[[[": "\\"[[[[", "a": [[], {}]}'), { ...limits, maxNesting: 3 })).toBeDefined();
  });

  it('ends regular expressions on a header of numpy that repeats itself', async () => {
    const header = `${"{'descr': ".repeat(6000)}\n`;
    const length = Buffer.alloc(2);
    length.writeUInt16LE(header.length);
    const npy = raw('\x93NUMPY\x01\x00', length, header);
    expect((await scanWithin(npy, 'a.npy')).isCode).toBe(true);
  });
});

describe('scanFile on what loaders run and a check would refuse', () => {
  it.each(['trailing', 'checksum', 'damaged'] as const)('looks into a gzipped pickle (%s)', async (spoil) => {
    for (const name of ['w.bin', 'w.dat', 'weights', 'w.pkl']) {
      const found = await scanBytes(spoiltGzip(sample('evilProtocol0'), spoil), name);
      const expected = spoil === 'damaged' ? UNEXAMINED : { isCode: true, suspicious: ['posix.system'] };
      expect(found).toMatchObject(expected);
    }
  });

  it('joins the members of a gzip file', async () => {
    const pickle = sample('evilProtocol4');
    const members = raw(gzipSync(pickle.subarray(0, 20)), gzipSync(pickle.subarray(20)));
    expect(await scanBytes(members, 'weights')).toEqual({ isCode: true, suspicious: ['posix.system'] });
  });

  it('follows a compressed pickle whose beginning tells nothing', async () => {
    const padded = raw('\x80\x02', 'N0'.repeat(400_000), 'cos\nsystem\n.');
    expect((await scanBytes(gzipSync(padded), 'weights')).suspicious).toEqual(['os.system']);
    expect((await scanBytes(deflatedZip({ x: padded }), 'w.zip')).suspicious).toEqual(['os.system']);
  });

  it('goes on behind a line of any length', async () => {
    const bytes = raw('V', 'a'.repeat(200_000), '\n0cos\nsystem\n(', unicode('id'), 'tR.');
    expect((await scanBytes(bytes, 'w.safetensors')).suspicious).toEqual(['os.system']);
    const endless = raw('V', Buffer.alloc(17 * 1024 * 1024, 'a'), '\n0cos\nsystem\n(', unicode('id'), 'tR.');
    expect(await scanBytes(endless, 'w.safetensors')).toMatchObject(UNEXAMINED);
  });

  it('says that an import is hidden whose name is too long to keep', async () => {
    expect((await scanBytes(raw(`\x80\x02c${'m'.repeat(2000)}\nx\n.`), 'w.pkl')).suspicious).toEqual(['?.x']);
  });

  it('looks into more pickles within a pickle than a thousand', async () => {
    const held = (bytes: Buffer) => raw('C', Buffer.from([bytes.length]), bytes, '0');
    const many = Array.from({ length: 1200 }, () => held(raw('\x80\x02N......')));
    const evil = held(raw('\x80\x02cos\nsystem\n.'));
    const bytes = raw('\x80\x03ctorch.storage\n_load_from_bytes\n0', ...many, evil, 'N.');
    expect((await scanBytes(bytes, 'w.pt')).suspicious).toEqual(['os.system']);
  });
});
