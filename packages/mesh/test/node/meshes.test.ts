import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { createMesh, type MeshOutcome } from '../../src/index.ts';
import { joinedMesh } from '../../src/node/state/mesh-folders.ts';
import { scoresFile, withOutcome } from '../../src/node/state/scores.ts';

async function madeMesh(name = 'lab') {
  const root = await temporaryFolder();
  const made = await createMesh({ root, name, nodeName: 'anna', signalingUrls: [] });
  return { root, made };
}

describe('a mesh on this machine', () => {
  it('keeps what a person can read, and the key of the authority for its owner alone', async () => {
    const { root, made } = await madeMesh();
    const folder = join(root, 'mesh', `lab-${made.id.slice(0, 8)}`);
    const mesh = JSON.parse(await readFile(join(folder, 'mesh.json'), 'utf8'));
    expect(mesh).toMatchObject({ id: made.id, name: 'lab', nodeName: 'anna', scopes: ['read', 'write', 'track'] });
    expect((await stat(made.authorityKeyFile)).mode & 0o077).toBe(0);
    expect((await stat(folder)).mode & 0o077).toBe(0);
  });

  it('is not made twice under one name, and is found by its name', async () => {
    const { root, made } = await madeMesh();
    await expect(createMesh({ root, name: 'lab', nodeName: 'anna', signalingUrls: [] })).rejects.toMatchObject({
      code: 'refused',
    });
    expect((await joinedMesh(root, undefined)).mesh.id).toBe(made.id);
    await createMesh({ root, name: 'home', nodeName: 'anna', signalingUrls: [] });
    await expect(joinedMesh(root, undefined)).rejects.toMatchObject({ code: 'ambiguous' });
    expect((await joinedMesh(root, 'home')).mesh.name).toBe('home');
    await expect(joinedMesh(root, 'work')).rejects.toMatchObject({ code: 'not_found_locally' });
  });

  it('is found whatever its name is', async () => {
    const root = await temporaryFolder();
    for (const name of ['lab.example.org', 'a', `x${'._-'.repeat(21)}`, 'left-0123abcd']) {
      await createMesh({ root, name, nodeName: 'anna', signalingUrls: [] });
      expect((await joinedMesh(root, name)).mesh.name).toBe(name);
    }
  });

  it('is found by the start of its id, and not by a few characters that names have too', async () => {
    const { root, made } = await madeMesh('zoo');
    expect((await joinedMesh(root, made.id.slice(0, 6))).mesh.name).toBe('zoo');
    for (const start of ['', made.id.slice(0, 1), made.id.slice(0, 5)])
      await expect(joinedMesh(root, start)).rejects.toMatchObject({ code: 'not_found_locally' });
  });

  it('is not made with an address that is no signaling server', async () => {
    const root = await temporaryFolder();
    const wanted = { root, name: 'lab', nodeName: 'anna', signalingUrls: ['ws://host:1', 'http://host'] };
    await expect(createMesh(wanted)).rejects.toMatchObject({ code: 'bad_argument' });
    await expect(readdir(join(root, 'mesh'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['{"version": 1', '[]', ''])('is said to be damaged when its file is %j, and stays so', async (text) => {
    const { root, made } = await madeMesh();
    const folder = join(root, 'mesh', `lab-${made.id.slice(0, 8)}`);
    await writeFile(join(folder, 'mesh.json'), text);
    for (let time = 0; time < 2; time++) {
      const failed = { code: 'not_found_locally', message: expect.stringContaining(folder) };
      await expect(joinedMesh(root, undefined)).rejects.toMatchObject(failed);
    }
    const [kept = ''] = (await readdir(folder)).filter((name) => name.startsWith('mesh.corrupted.'));
    expect(await readFile(join(folder, kept), 'utf8')).toBe(text);
  });

  it('keeps a damaged file beside, and goes on', async () => {
    const { root, made } = await madeMesh();
    const folder = join(root, 'mesh', `lab-${made.id.slice(0, 8)}`);
    await writeFile(join(folder, 'trust.json'), '{"distrusted": 7');
    const { trust } = await joinedMesh(root, 'lab');
    expect(await trust.read()).toEqual({ distrusted: [] });
    expect((await readdir(folder)).some((name) => name.startsWith('trust.corrupted.'))).toBe(true);
  });

  it('remembers what came of asking a node, whichever process asked', async () => {
    const { root, made } = await madeMesh();
    const folder = join(root, 'mesh', `lab-${made.id.slice(0, 8)}`);
    const note = (outcome: MeshOutcome) =>
      scoresFile(folder).update((scores) => withOutcome(scores, 'k', outcome, new Date()));
    await Promise.all([
      note({ bytes: 1_000, ms: 100, ok: true, latencyMs: 4 }),
      note({ bytes: 0, ms: 100, ok: false, reason: 'timeout' }),
    ]);
    const { nodes } = await scoresFile(folder).read();
    expect(nodes.k).toMatchObject({ latencyMs: 4, bytesPerSecond: 10_000 });
    expect(nodes.k?.reliability).toBeLessThan(1);
  });
});
