import { describe, expect, it } from '@jest/globals';
import { type ByteReader, plainCuts, planChunks } from '@model-rtc/formats';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { arrayReader, sparseReader } from '../bytes/readers.ts';
import { directoryEnd, directoryEnd64, directoryEntry, filled, makeZip, u16, u32 } from '../chunks/make-files.ts';
import { chunksOf } from '../chunks/sharing.ts';

const KIB = 1024;
const GIB = 1024 ** 3;

async function plan(reader: ByteReader): Promise<number[]> {
  return await planChunks(reader, 'best.ckpt');
}

/** The starts of the chunks of a plan. */
function startsOf(sizes: readonly number[]): Set<number> {
  let at = 0;
  return new Set(
    sizes.map((size) => {
      at += size;
      return at - size;
    }),
  );
}

function localHeader(name: string): Uint8Array {
  return concatBytes(u32(0x04034b50), new Uint8Array(22), u16(name.length), u16(0), utf8ToBytes(name));
}

describe('a torch archive', () => {
  it('starts a chunk where the bytes of each large tensor start', async () => {
    const bytes = makeZip([
      { name: 'best/data.pkl', bytes: filled(500, 1) },
      { name: 'best/data/0', bytes: filled(300 * KIB, 2) },
      { name: 'best/data/1', bytes: filled(1100 * KIB, 3) },
      { name: 'best/version', bytes: utf8ToBytes('3\n') },
    ]);
    const sizes = await plan(arrayReader(bytes));
    const starts = startsOf(sizes);
    expect([2, 3].map((seed) => starts.has(Buffer.from(bytes).indexOf(filled(300 * KIB, seed))))).toEqual([true, true]);
    expect(sizes.filter((size) => size >= 256 * KIB)).toEqual([300 * KIB, 1024 * KIB]);
    expect(sizes).toContain(76 * KIB);
  });

  it('keeps the chunks of its large tensors when its pickle grows and its name changes', async () => {
    const tensors = [300, 400, 500].map((kib, i) => ({ key: i, bytes: filled(kib * KIB, i) }));
    const save = (name: string, pickle: number) =>
      makeZip([
        { name: `${name}/data.pkl`, bytes: filled(pickle, 9) },
        ...tensors.map(({ key, bytes }) => ({ name: `${name}/data/${key}`, bytes })),
      ]);
    const known = new Set((await chunksOf(save('best', 1000))).map(({ digest }) => digest));
    const shared = (await chunksOf(save('renamed', 1333))).filter(({ digest }) => known.has(digest));
    expect(shared.map(({ start, end }) => end - start)).toEqual([300 * KIB, 400 * KIB, 500 * KIB]);
  });

  it('is read with a comment behind its directory', async () => {
    const entries = [{ name: 'm/data/0', bytes: filled(300 * KIB, 1) }];
    expect(await plan(arrayReader(makeZip(entries, 'a comment')))).toContain(300 * KIB);
  });

  it('beyond 4 GiB is cut on its tensors, which its zip64 directory tells', async () => {
    const tensors = [
      { name: 'm/data/0', size: 5 * GIB },
      { name: 'm/data/1', size: 300 * KIB },
    ];
    const pieces: [number, Uint8Array][] = [];
    const directory: Uint8Array[] = [];
    const dataStarts: number[] = [];
    let at = 0;
    for (const { name, size } of tensors) {
      pieces.push([at, localHeader(name)]);
      directory.push(directoryEntry(name, 0, size, at));
      dataStarts.push(at + 30 + name.length);
      at += 30 + name.length + size;
    }
    const entries = concatBytes(...directory);
    pieces.push([at, concatBytes(entries, directoryEnd64(2, entries.length, at, at + entries.length))]);
    const reader = sparseReader(at + (pieces.at(-1)?.[1].length ?? 0), pieces);
    const starts = startsOf(await plan(reader));
    expect(dataStarts.map((start) => starts.has(start))).toEqual([true, true]);
    expect(reader.readBytes).toBeLessThan(1024 * KIB);
  });

  it.each<[string, Uint8Array]>([
    ['has no directory', makeZip([{ name: 'a', bytes: filled(500 * KIB, 1) }]).subarray(0, 500 * KIB)],
    [
      'has a directory beyond its end',
      concatBytes(localHeader('a'), new Uint8Array(500), directoryEnd(1, 46, 9_999_999)),
    ],
    ['claims entries that are not there', concatBytes(localHeader('a'), new Uint8Array(500), directoryEnd(9, 400, 31))],
    [
      'has entries on top of each other',
      (() => {
        const directory = concatBytes(directoryEntry('a', 0, 400, 0), directoryEntry('b', 0, 400, 0));
        const local = concatBytes(localHeader('a'), new Uint8Array(500));
        return concatBytes(local, directory, directoryEnd(2, directory.length, local.length));
      })(),
    ],
    [
      'has an entry without a header',
      (() => {
        const directory = directoryEntry('a', 0, 400 * KIB, 100);
        const local = concatBytes(localHeader('a'), new Uint8Array(500 * KIB));
        return concatBytes(local, directory, directoryEnd(1, directory.length, local.length));
      })(),
    ],
    [
      'has a zip64 directory that is cut',
      concatBytes(localHeader('a'), new Uint8Array(500), directoryEnd64(1, 46, 31, 2 ** 40).subarray(56)),
    ],
  ])('is cut plainly when it %s', async (_, bytes) => {
    expect(await plan(arrayReader(bytes))).toEqual(plainCuts(bytes.length));
  });

  it('is cut plainly when its directory claims a million entries', async () => {
    const size = 5 * GIB;
    const end = directoryEnd64(1_000_000, 2 ** 30, 1024, size - 98);
    const reader = sparseReader(size, [
      [0, localHeader('a')],
      [size - end.length, end],
    ]);
    expect(await plan(reader)).toEqual(plainCuts(size));
    expect(reader.readBytes).toBeLessThan(1024 * KIB);
  });

  it('cuts compressed entries every 1 MiB', async () => {
    const bytes = makeZip([{ name: 'm/data/0', bytes: filled(1500 * KIB, 1), method: 8 }]);
    expect((await plan(arrayReader(bytes)))[0]).toBe(1024 * KIB);
  });
});
