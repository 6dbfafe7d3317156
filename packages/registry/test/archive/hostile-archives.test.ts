import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { Alias, Manifest, ModelPath } from '@model-rtc/protocol';
import fc from 'fast-check';
import { packTar, type TarEntry, type TarHeader } from 'modern-tar';
import { rejection } from '../../../../test/support/rejection.ts';
import { runs } from '../../../../test/support/runs.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Registry } from '../../src/index.ts';
import { entryOf, type Files, manifestOf, sha256 } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES: Files = { 'best.ckpt': 'the best weights', 'config/run.yaml': 'epochs: 3\n' };

const member = (name: string, body: string, more: Partial<TarHeader> = {}): TarEntry => ({
  header: { name, size: Buffer.byteLength(body), type: 'file', mtime: new Date(0), ...more },
  body,
});

/** The members of a good archive, for each test to spoil. */
function goodMembers(manifest: Manifest = manifestOf(FILES), entry: unknown = entryOf(manifest)): TarEntry[] {
  return [
    member('m/.model-rtc/manifest.json', JSON.stringify(manifest)),
    member('m/.model-rtc/entry.json', JSON.stringify({ version: 1, entry })),
    ...Object.entries(FILES).map(([path, content]) => member(`m/${path}`, String(content))),
  ];
}

async function archiveOf(members: readonly TarEntry[]): Promise<string> {
  const path = join(await temporaryFolder(), 'model.tar');
  await writeFile(path, await packTar(members));
  return path;
}

/** The error of an import that must fail and leave nothing behind. */
async function refusal(archive: string, registry?: Registry): Promise<Error & { code?: string }> {
  const to = registry ?? (await openTestRegistry());
  const error = await rejection(to.importArchive(archive));
  expect((await to.list({ filters: {}, sort: 'date', limit: 10 })).total).toBe(0);
  expect(await readdir(to.paths.staging)).toEqual([]);
  expect((await readdir(to.paths.models)).filter((name) => !name.startsWith('registry.'))).toEqual([]);
  return error;
}

async function refusalOf(change: (members: TarEntry[]) => TarEntry[]): Promise<Error & { code?: string }> {
  return await refusal(await archiveOf(change(goodMembers())));
}

const replaced = (members: TarEntry[], index: number, by: TarEntry): TarEntry[] => members.with(index, by);

it('the archive that the tests here spoil is a good one', async () => {
  const to = await openTestRegistry();
  expect((await to.importArchive(await archiveOf(goodMembers()))).outcome).toBe('imported');
});

describe('an archive with something else than the model’s plain files', () => {
  const other: Partial<TarHeader>[] = [
    { type: 'symlink', linkname: '/etc/passwd' },
    { type: 'link', linkname: 'm/.model-rtc/entry.json' },
    { type: 'character-device' },
    { type: 'block-device' },
    { type: 'fifo' },
    { type: 'directory' },
  ];

  it.each(other)('is refused with a member of type $type in place of a file', async (header) => {
    const spoilt = { ...member('m/best.ckpt', '', header) };
    const error = await refusalOf((members) => replaced(members, 2, spoilt));
    expect(error).toMatchObject({ code: 'invalid_model', message: expect.stringContaining('not a plain file') });
  });

  it.each([0, 1])('is refused with a link in place of note %i', async (index) => {
    const error = await refusalOf((members) => {
      const { name } = (members[index] as TarEntry).header;
      return replaced(members, index, member(name, '', { type: 'symlink', linkname: '/etc/hostname' }));
    });
    expect(error).toMatchObject({ code: 'invalid_model' });
  });

  it.each(['m/../../evil', '/etc/evil', 'm/best.ckpt/../evil', 'other/best.ckpt', 'm//best.ckpt', 'M/best.ckpt', '..'])(
    'is refused with a member at %s',
    async (path) => {
      const error = await refusalOf((members) => replaced(members, 2, member(path, 'the best weights')));
      expect(error).toMatchObject({ code: 'invalid_model', message: expect.stringContaining(JSON.stringify(path)) });
    },
  );

  it.each(['../m', '..', '.', 'a/b', '', 'con'])('is refused when its folder is called %j', async (root) => {
    const error = await refusalOf((members) =>
      members.map(({ header, body }) => ({ header: { ...header, name: header.name.replace('m', root) }, body })),
    );
    expect(error).toMatchObject({ code: 'invalid_model' });
  });

  it('is refused when a file is there twice, is missing, comes in another order, or is one too many', async () => {
    const changes: ((members: TarEntry[]) => TarEntry[])[] = [
      (members) => [...members, members[2] as TarEntry],
      (members) => members.toSpliced(3, 0, members[2] as TarEntry),
      (members) => members.slice(0, 3),
      (members) => members.slice(0, 1),
      () => [],
      (members) => members.toSpliced(2, 2, members[3] as TarEntry, members[2] as TarEntry),
      (members) => [...members, member('m/extra', 'x')],
      (members) => members.slice(1),
    ];
    for (const change of changes) expect(await refusalOf(change)).toMatchObject({ code: 'invalid_model' });
  });
});

describe('an archive that says what is not true', () => {
  it('is refused when a file has another size or other bytes than the manifest says', async () => {
    const longer = await refusalOf((members) => replaced(members, 2, member('m/best.ckpt', 'the best weights!')));
    expect(longer).toMatchObject({ code: 'invalid_model' });
    const other = await refusalOf((members) => replaced(members, 2, member('m/best.ckpt', 'the best_weights')));
    expect(other).toMatchObject({ code: 'verification_failed', message: expect.stringContaining('best.ckpt') });
  });

  it('is refused when its entry is of another model', async () => {
    const entry = { ...entryOf(manifestOf(FILES)), digest: sha256('another') };
    const error = await refusal(await archiveOf(goodMembers(manifestOf(FILES), entry)));
    expect(error).toMatchObject({ code: 'verification_failed' });
  });

  it('is refused when a newer version wrote it', async () => {
    const newer = member('m/.model-rtc/entry.json', JSON.stringify({ version: 2, entries: [] }));
    const error = await refusalOf((members) => replaced(members, 1, newer));
    expect(error).toMatchObject({ code: 'refused', message: expect.stringContaining('Upgrade') });
  });

  it('is refused with a manifest that no model may have', async () => {
    const good = manifestOf(FILES);
    const [first, second] = good.files as [Manifest['files'][0], Manifest['files'][0]];
    const manifests: unknown[] = [
      { ...good, files: [{ ...first, path: '../evil' as ModelPath }, second] },
      { ...good, files: [first, { ...first, path: 'BEST.ckpt' as ModelPath }] },
      { ...good, chunks: [] },
      { ...good, version: 2 },
      [],
      null,
    ];
    for (const manifest of manifests) {
      const error = await refusal(await archiveOf(goodMembers(manifest as Manifest, entryOf(good))));
      expect(error).toMatchObject({ code: 'invalid_model' });
    }
  });

  it('is refused with notes that are no JSON, or no UTF-8', async () => {
    for (const body of [Buffer.from('{'), Buffer.from(''), Buffer.from('"\u00e9"', 'latin1')]) {
      const note = member('m/.model-rtc/manifest.json', '', { size: body.length });
      const error = await refusalOf((members) => replaced(members, 0, { ...note, body }));
      expect(error).toMatchObject({ code: 'invalid_model', message: expect.stringContaining('not JSON') });
    }
  });

  it('gives chunks that are true, whatever its manifest says of them', async () => {
    const good = manifestOf(FILES);
    const lying = { ...good, chunks: good.chunks.map((chunk) => ({ ...chunk, digest: sha256('a lie') })) };
    const to = await openTestRegistry();
    const { entry } = await to.importArchive(await archiveOf(goodMembers(lying, entryOf(good))));
    const stored = await to.manifest(entry.digest as NonNullable<typeof entry.digest>);
    expect(stored.chunks).toEqual(good.chunks);
  });

  it('cannot say where it came from or what it is called here', async () => {
    const good = manifestOf(FILES);
    const entry = { ...entryOf(good), id: 'deadbeef', source: 'worker-training', folder: '../../x', linked: true };
    const to = await openTestRegistry();
    const imported = await to.importArchive(await archiveOf(goodMembers(good, entry)));
    expect(imported.entry).toMatchObject({ id: entryOf(good).id, source: 'local-import' });
    expect(imported.entry.linked).toBe(false);
    expect(dirname(imported.entry.localPath)).toBe(to.paths.models);
  });
});

describe('an archive that asks for too much', () => {
  it('is refused when its notes are longer than any model’s', async () => {
    const path = await archiveOf(goodMembers());
    const bytes = await readFile(path);
    // The size in the header of the manifest, in octal, and the checksum that goes with it.
    bytes.write('77777777777\0', 124, 'latin1');
    await writeFile(path, withChecksum(bytes, 0));
    const error = await refusal(path);
    expect(error).toMatchObject({ code: 'invalid_model', message: expect.stringContaining('more than') });
  });

  it('is refused when its notes have more values than memory should hold', async () => {
    const values = `[${'{},'.repeat(2_000_000)}{}]`;
    const error = await refusalOf((members) => replaced(members, 0, member('m/.model-rtc/manifest.json', values)));
    expect(error).toMatchObject({ code: 'invalid_model', message: expect.stringContaining('too many values') });
  });

  it('is refused when its model is larger than the file can be, before room is asked for', async () => {
    const size = 4 * 1024 * 1024;
    const file = { path: 'best.ckpt' as ModelPath, size: size * 1000, sha256: sha256('x') };
    const chunks = Array.from({ length: 1000 }, () => ({ digest: sha256('x'), size }));
    const huge: Manifest = { version: 1, chunker: 'test', files: [file], chunks };
    const error = await refusal(await archiveOf(goodMembers(huge)));
    expect(error).toMatchObject({ code: 'verification_failed', message: expect.stringContaining('cut short') });
  });

  it('is refused when the header of one long name is itself enormous', async () => {
    const pax = { comment: 'x'.repeat(9 * 1024 * 1024) };
    const error = await refusalOf((members) =>
      replaced(members, 2, member('m/best.ckpt', 'the best weights', { pax })),
    );
    expect(error).toMatchObject({ code: 'verification_failed' });
  });
});

/** The checksum of the header at an offset made right again. */
function withChecksum(bytes: Buffer, at: number): Buffer {
  bytes.write('        ', at + 148, 'latin1');
  const sum = bytes.subarray(at, at + 512).reduce((a, b) => a + b, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  return bytes;
}

describe('a damaged archive', () => {
  it('is refused wherever it was cut', async () => {
    const to = await openTestRegistry();
    const path = await archiveOf(goodMembers());
    const whole = await readFile(path);
    for (let length = 512; length < whole.length; length += 512) {
      for (const cut of [length, length - 100]) {
        await writeFile(path, whole);
        await truncate(path, cut);
        expect((await refusal(path, to)).code).toMatch(/^(verification_failed|invalid_model)$/);
      }
    }
  });

  it('is refused when something was appended', async () => {
    const path = await archiveOf(goodMembers());
    const whole = await readFile(path);
    for (const more of [whole, Buffer.from('x'), Buffer.alloc(600, 1)]) {
      await writeFile(path, whole);
      await appendFile(path, more);
      expect(await refusal(path)).toMatchObject({ code: 'verification_failed' });
    }
  });

  it('is refused when it is compressed, with what to do', async () => {
    const path = await archiveOf(goodMembers());
    await writeFile(path, gzipSync(await readFile(path)));
    expect(await refusal(path)).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('gunzip') });
  });

  it('is refused when it is empty, or no tar file at all', async () => {
    const path = join(await temporaryFolder(), 'x.tar');
    for (const [content, code] of [
      [Buffer.alloc(0), 'verification_failed'],
      [Buffer.alloc(10_240), 'invalid_model'],
      [Buffer.alloc(2000, 'x'), 'verification_failed'],
    ] as const) {
      await writeFile(path, content);
      expect(await refusal(path)).toMatchObject({ code });
    }
  });

  it('is taken with zeros at its end, as other programs pad it', async () => {
    const path = await archiveOf(goodMembers());
    await appendFile(path, Buffer.alloc(9216));
    const to = await openTestRegistry();
    expect((await to.importArchive(path)).outcome).toBe('imported');
  });

  it('is refused, or gives the very same model, whichever byte was changed', async () => {
    const good = manifestOf(FILES);
    const path = await archiveOf(goodMembers(good, entryOf(good, { alias: 'mouse' as Alias })));
    const whole = await readFile(path);
    const change = fc.record({ at: fc.nat(whole.length - 1), by: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, by }) => {
        const bytes = Buffer.from(whole);
        bytes[at] = ((bytes[at] as number) + by) % 256;
        await writeFile(path, bytes);
        const to = await openTestRegistry();
        const outcome = await to.importArchive(path).then(
          ({ entry }) => entry.digest,
          (thrown) => thrown.code,
        );
        expect(['invalid_model', 'verification_failed', entryOf(good).digest]).toContain(outcome);
        expect(await readdir(to.paths.staging)).toEqual([]);
      }),
      { numRuns: runs(60) },
    );
  });
});
