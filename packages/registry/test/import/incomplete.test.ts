import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { entryOf, installFiles, manifestOf, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const HEADER = '{"a":{"dtype":"U8","shape":[40],"data_offsets":[0,40]}}';
const CUT = Buffer.concat([Buffer.from([HEADER.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(HEADER), Buffer.alloc(15)]);
const FILES = { 'config.json': '{"model_type":"llama"}', 'model.safetensors': CUT };
const PROBLEM = { path: 'model.safetensors', problem: 'is cut off: it has 78 bytes of 103 bytes' };
const importing = async () => await openTestRegistry({ importSteps: undefined });

describe('a model that is not whole', () => {
  it('is refused with what it lacks, and nothing is registered', async () => {
    const registry = await importing();
    const folder = await writeFiles(await temporaryFolder(), FILES);
    const error = await rejection(registry.importModel(folder));
    expect(error).toMatchObject({ code: 'invalid_model', details: { incomplete: [PROBLEM] } });
    expect(error).toMatchObject({ exitCode: 6, message: expect.stringContaining('--allow-incomplete') });
    expect((await registry.list({ filters: {}, sort: 'date', limit: 9 })).total).toBe(0);
  });

  it('is registered and marked on request, and stays marked when it is imported again', async () => {
    const registry = await importing();
    const folder = await writeFiles(await temporaryFolder(), FILES);
    const { entry } = await registry.importModel(folder, { allowIncomplete: true });
    expect(entry.incomplete).toEqual([PROBLEM]);
    expect((await registry.find(entry.digest as NonNullable<typeof entry.digest>))?.incomplete).toEqual([PROBLEM]);
    expect(await registry.verify(entry.id)).toMatchObject({ state: 'incomplete', incomplete: [PROBLEM], problems: [] });
  });

  it('is marked by who receives it, whatever the sender says of it', async () => {
    const registry = await importing();
    const manifest = manifestOf(FILES);
    expect((await installFiles(registry, FILES, { manifest })).incomplete).toEqual([PROBLEM]);
    const whole = { 'config.json': '{}' };
    const lie = entryOf(manifestOf(whole), { incomplete: [PROBLEM] });
    expect((await installFiles(registry, whole, { entry: lie })).incomplete).toBeUndefined();
  });

  it.each([false, true])('is found among registered ones (quick: %s)', async (quick) => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, FILES);
    expect(await registry.verify(id, { quick })).toMatchObject({ state: 'incomplete', incomplete: [PROBLEM] });
    const { id: other } = await installFiles(registry, { 'a.txt': 'whole' });
    expect(await registry.verify(other, { quick })).toMatchObject({ state: 'sound', incomplete: [] });
  });

  it('is looked at once more when it was registered before anyone looked, and then no more', async () => {
    const registry = await openTestRegistry();
    const { digest } = await installFiles(registry, FILES);
    const { registryFile } = registry.paths;
    const index = JSON.parse(await readFile(registryFile, 'utf8'));
    for (const stored of Object.values(index.models) as Record<string, unknown>[]) {
      delete stored.incomplete;
      delete stored.completenessCheck;
    }
    await writeFile(registryFile, JSON.stringify(index));
    const known = digest as NonNullable<typeof digest>;
    expect((await registry.find(known))?.incomplete).toBeUndefined();
    expect((await registry.lookIfWhole(known)).incomplete).toEqual([PROBLEM]);
    expect(await registry.find(known)).toMatchObject({ incomplete: [PROBLEM], completenessCheck: 2 });
    expect(await registry.lookIfWhole(known)).toEqual(await registry.find(known));
  });

  it("is one of a hub's cache whose bytes are not those of the blob's name", async () => {
    const registry = await importing();
    const cache = join(await temporaryFolder(), 'models--org--mouse');
    const snapshot = join(cache, 'snapshots', 'a'.repeat(40));
    const [right, wrong] = ['right', 'wrong'].map((text) => createHash('sha256').update(text).digest('hex'));
    await mkdir(snapshot, { recursive: true });
    await mkdir(join(cache, 'blobs'));
    for (const [name, blob] of [
      ['a.bin', right],
      ['b.bin', wrong],
    ] as const) {
      await writeFile(join(cache, 'blobs', blob as string), 'right');
      await symlink(`../../blobs/${blob}`, join(snapshot, name));
    }
    await writeFile(join(snapshot, 'config.json'), '{}');
    const error = await rejection(registry.importModel(snapshot));
    expect(error).toMatchObject({
      code: 'invalid_model',
      details: { incomplete: [{ path: 'b.bin', kind: 'damaged' }] },
    });
    expect(error).toMatchObject({ message: expect.stringContaining('damaged in the cache') });
  });
});
