import { chmod, link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { openRegistry, type Registry } from '@model-rtc/registry';
import { planLayout } from '../../../src/core/layout/layout.ts';
import { ModelFiles } from '../../../src/node/disk/model-files.ts';
import { ownFiles } from '../../../src/node/staging/own-files.ts';
import { lockStaging, openStaging, type Staging } from '../../../src/node/staging/staging.ts';
import { seededBytes } from '../../support/models.ts';
import { temporaryFolder } from '../../support/pulling.ts';

const MEBI = 1024 * 1024;
const WEIGHTS = seededBytes(3 * MEBI, 1);

interface Imported {
  readonly digest: Digest;
  readonly folder: string;
}

async function importFiles(registry: Registry, files: Record<string, Uint8Array>, copy = true): Promise<Imported> {
  const folder = join(await temporaryFolder(), 'model');
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  const { entry } = await registry.importModel(folder, { copy });
  return { digest: entry.digest as Digest, folder: entry.localPath };
}

/** A registry with the base, and the staging of a model that shares its weights and has a config of its own. */
async function scene({ copy = true, config = 'tuned' } = {}) {
  const [here, there] = [
    await openRegistry({ home: await temporaryFolder() }),
    await openRegistry({ home: await temporaryFolder() }),
  ];
  const base = await importFiles(here, { 'model.msgpack': WEIGHTS, 'config.json': Buffer.from('{"base":1}') }, copy);
  const tuned = await importFiles(there, {
    'model.msgpack': WEIGHTS,
    'config.json': Buffer.from(`{"${config}":1}`),
  });
  const manifest = await there.manifest(tuned.digest);
  const layout = planLayout({ ...manifest, digest: tuned.digest });
  const folder = { staging: here.paths.staging, key: tuned.digest };
  const open = async (): Promise<Staging> => {
    const held = await lockStaging({ ...folder });
    return await openStaging({ ...folder, contents: manifest, layout, held, ownFiles: ownFiles(here) });
  };
  const close = async (): Promise<void> => {
    await here.close();
    await there.close();
  };
  return { here, base, manifest, layout, open, close, original: join(base.folder, 'model.msgpack') };
}

describe('staging files that another model has whole', () => {
  it('takes no further room, and leaves small files to be copied', async () => {
    const { open, close, original, layout } = await scene();
    const staging = await open();
    expect(await readdir(staging.paths.files)).toEqual(['model.msgpack']);
    const [own, staged] = [await stat(original), await stat(join(staging.paths.files, 'model.msgpack'))];
    // A clone where the file system has them, else the same file under another name.
    if (staged.nlink > 1) expect([staged.ino, staged.nlink]).toEqual([own.ino, 2]);
    expect(staging.reused.size).toBe(3);
    expect([...staging.journalled].filter((there) => there === 1)).toHaveLength(3);
    expect(staging.journalled).toHaveLength(layout.sizes.length);
    await staging.keep();
    await close();
  });

  it('is resumed from its journal', async () => {
    const { open, close } = await scene();
    await (await open()).keep();
    const again = await open();
    expect([again.reused.size, [...again.journalled].filter((there) => there === 1)]).toEqual([0, [1, 1, 1]]);
    await again.end();
    await close();
  });

  it.each([
    ['is cut off', (path: string) => writeFile(path, WEIGHTS.subarray(0, MEBI))],
    ['is gone', (path: string) => rm(path)],
    ['has become a link', (path: string) => rm(path).then(() => symlink('/etc/hostname', path))],
    [
      'lies in a folder that has become a link',
      async (path: string) => {
        const elsewhere = await temporaryFolder();
        await writeFile(join(elsewhere, 'model.msgpack'), WEIGHTS);
        await rm(dirname(path), { recursive: true });
        await symlink(elsewhere, dirname(path));
      },
    ],
  ])('leaves out a file that %s', async (_name, change) => {
    const { open, close, original } = await scene();
    await change(original);
    const staging = await open();
    expect(staging.reused.size).toBe(0);
    expect(await readdir(staging.paths.files).catch(() => [])).toEqual([]);
    await staging.keep();
    await close();
  });

  it('leaves out files of links, which are not the registry’s own', async () => {
    const { open, close } = await scene({ copy: false });
    const staging = await open();
    expect(staging.reused.size).toBe(0);
    await staging.keep();
    await close();
  });

  it('gives no file a second name whose mode is not the one that it has to have', async () => {
    const { open, close, original } = await scene();
    await chmod(original, 0o400);
    const staging = await open();
    const staged = await stat(join(staging.paths.files, 'model.msgpack')).catch(() => undefined);
    expect(staged?.nlink ?? 1).toBe(1);
    expect((await stat(original)).mode & 0o777).toBe(0o400);
    await staging.keep();
    await close();
  });
});

describe('writing into a staged file that has another name', () => {
  it('parts it from the other one first, and does nothing when the bytes are there', async () => {
    const folder = join(await temporaryFolder(), 'files');
    const { layout, close, original } = await scene();
    await mkdir(folder);
    await link(original, join(folder, 'model.msgpack'));
    const files = new ModelFiles(folder, layout);
    const place = [...layout.idAt.keys()].find((at) => (layout.offsetAt[at] ?? 0) % MEBI !== 0) ?? 1;
    const start =
      (layout.offsetAt[place] ?? 0) - (layout.files.find(({ path }) => path === 'model.msgpack')?.offset ?? 0);
    const right = WEIGHTS.subarray(start, start + (layout.sizes[layout.idAt[place] ?? 0] ?? 0));
    files.write(place, right);
    expect((await stat(original)).nlink).toBe(2);
    files.write(place, Buffer.alloc(right.length, 7));
    const staged = await readFile(join(folder, 'model.msgpack'));
    expect(staged.subarray(start, start + right.length).every((byte) => byte === 7)).toBe(true);
    expect(staged.length).toBe(WEIGHTS.length);
    expect((await readFile(original)).equals(WEIGHTS)).toBe(true);
    expect((await stat(original)).nlink).toBe(1);
    expect(await readdir(dirname(folder))).toEqual(['files']);
    files.close();
    await close();
  });
});
