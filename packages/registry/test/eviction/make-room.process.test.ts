import { link, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { startChild } from '../../../../test/support/script-child.ts';
import type { Registry, RegistryEntry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const HOUR_MS = 3_600_000;
const child = (name: string) => new URL(`../children/${name}.ts`, import.meta.url);

/** A registry whose day can be moved on. */
async function openLater() {
  let laterMs = 0;
  const registry = await openTestRegistry({ now: () => new Date(Date.now() + laterMs) });
  return {
    registry,
    pass: (ms: number) => {
      laterMs += ms;
    },
  };
}

async function install(registry: Registry, name: string, alias?: string): Promise<RegistryEntry> {
  return await installFiles(
    registry,
    { w: name.padEnd(100, '.') },
    alias === undefined ? {} : { alias: alias as Alias },
  );
}

async function ids(registry: Registry): Promise<string[]> {
  return (await registry.list(listModelsParams.parse({}))).models.map(({ id }) => id).sort();
}

const digestOf = ({ digest }: RegistryEntry): Digest => digest as Digest;

describe('making room', () => {
  it('removes what was unused for longest, and says which', async () => {
    const { registry, pass } = await openLater();
    const used = await install(registry, 'used');
    const unused = await install(registry, 'unused');
    pass(HOUR_MS);
    await (await registry.openModel(digestOf(used))).close();
    pass(HOUR_MS);
    const dry = await registry.makeRoom({ capBytes: 250, bytes: 100, dryRun: true });
    expect(dry.evicted).toMatchObject([{ id: unused.id, bytes: 100 }]);
    expect(await ids(registry)).toEqual([used.id, unused.id].sort());
    expect(await registry.makeRoom({ capBytes: 250, bytes: 100 })).toEqual(dry);
    expect(await ids(registry)).toEqual([used.id]);
  });

  it('never takes a model with an alias or a pin, or one that is read or was used a moment ago', async () => {
    const { registry, pass } = await openLater();
    await install(registry, 'named', 'mouse');
    const pinned = await install(registry, 'pinned');
    await registry.update(pinned.id, { pinned: true });
    const read = await install(registry, 'read');
    const used = await install(registry, 'used');
    pass(HOUR_MS);
    await using _reader = await registry.openModel(digestOf(read));
    await registry.noteUse(digestOf(used));
    const before = await ids(registry);
    const error = await rejection(registry.makeRoom({ capBytes: 400, bytes: 100 }));
    expect(error).toMatchObject({ code: 'storage_full', details: { neededBytes: 100, usedBytes: 400, capBytes: 400 } });
    expect(error.message).toMatch(/1 have an alias, 1 are pinned, 2 are being read, so they stay/);
    expect(await ids(registry)).toEqual(before);
    pass(HOUR_MS);
    expect((await registry.makeRoom({ capBytes: 400, bytes: 100 })).evicted).toMatchObject([{ id: used.id }]);
    await registry.update(pinned.id, { pinned: false });
    expect((await registry.makeRoom({ capBytes: 300, bytes: 100 })).evicted).toMatchObject([{ id: pinned.id }]);
  });

  it('counts a file that is in two models as a hard link once', async () => {
    const { registry, pass } = await openLater();
    const named = await install(registry, 'named', 'mouse');
    const twin = await installFiles(registry, { w: 'named'.padEnd(100, '.'), more: 'x'.repeat(20) });
    await rm(join(twin.localPath, 'w'));
    await link(join(named.localPath, 'w'), join(twin.localPath, 'w'));
    pass(HOUR_MS);
    expect(await registry.makeRoom({ capBytes: 150, bytes: 30 })).toEqual({ evicted: [], usedBytes: 120 });
    expect(await registry.makeRoom({ capBytes: 150, bytes: 50 })).toMatchObject({
      evicted: [{ id: twin.id, bytes: 120 }],
      usedBytes: 100,
    });
    expect(await rejection(registry.makeRoom({ capBytes: 150, bytes: 60 }))).toMatchObject({
      details: { usedBytes: 100 },
    });
  });

  it('never takes a model that another process reads, and takes it once that was killed', async () => {
    const { registry, pass } = await openLater();
    const read = await install(registry, 'read');
    pass(HOUR_MS);
    const reader = startChild(child('read-model'), [registry.paths.root, digestOf(read)]);
    await reader.saw('reading');
    pass(HOUR_MS);
    expect(await rejection(registry.makeRoom({ capBytes: 100, bytes: 50 }))).toMatchObject({ code: 'storage_full' });
    reader.process.kill('SIGKILL');
    await reader.ended;
    expect((await registry.makeRoom({ capBytes: 100, bytes: 50 })).evicted).toMatchObject([{ id: read.id }]);
    expect(await readdir(registry.paths.uses)).toEqual([]);
  });

  it('by two processes at once removes no more than one alone would', async () => {
    const { registry } = await openLater();
    for (let i = 0; i < 6; i++) {
      const { digest } = await install(registry, `model ${i}`);
      await mkdir(registry.paths.uses, { recursive: true });
      await writeFile(`${registry.paths.uses}/${digest}`, '');
      await utimes(`${registry.paths.uses}/${digest}`, 1000 + i, 1000 + i);
    }
    // What came a moment ago stays, so the processes have to see it later.
    await new Promise((resolve) => setTimeout(resolve, 10_100));
    const args = [registry.paths.root, '600', '250'];
    const children = [1, 2].map(() => startChild(child('make-room'), args));
    const ended = await Promise.all(children.map(({ ended: end }) => end));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const evicted = ended.map(({ output }) => /evicted (.*);/.exec(output)?.[1]?.split(' ').filter(Boolean).length);
    expect(evicted.sort()).toEqual([0, 3]);
    expect(await ids(registry)).toHaveLength(3);
  }, 60_000);
});
