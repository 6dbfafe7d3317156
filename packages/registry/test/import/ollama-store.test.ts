import { mkdir, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { ggufBytes, writeBlob, writeManifest } from './ollama-files.ts';

async function setUp() {
  const root = await realpath(await temporaryFolder());
  const store = join(root, 'models');
  const registry = await openTestRegistry({ importSteps: undefined });
  const weights = await writeBlob(store, 'model', ggufBytes('Mouse'));
  const license = await writeBlob(store, 'license', 'MIT');
  const failure = async (work: Promise<unknown>) =>
    ModelRtcError.from(
      await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      ),
    );
  return { root, store, registry, weights, license, failure };
}

describe("a model in ollama's store", () => {
  it('is its blobs under names that other tools know, linked and not copied', async () => {
    const { store, registry, weights, license } = await setUp();
    const projector = await writeBlob(store, 'projector', ggufBytes('Eyes'));
    const other = await writeBlob(store, 'license', 'Apache');
    const layers = [weights.layer, projector.layer, license.layer, other.layer];
    const path = await writeManifest(store, 'llama3.2:1b', { layers });
    const { entry, manifest, suggestedAlias } = await registry.importModel(path);
    expect(manifest.files.map((file) => file.path)).toEqual(['license', 'license-2', 'mmproj.gguf', 'model.gguf']);
    expect(manifest.files.at(-1)?.sha256).toBe(weights.layer.digest.slice(7));
    expect(suggestedAlias).toBe('llama3-2-1b');
    expect(entry).toMatchObject({ linked: true, checkpointPath: 'model.gguf', modelType: 'llama', originalPath: path });
  });

  it('is the one that its store or the folder above stands for, and one of several otherwise', async () => {
    const { root, store, registry, weights, license, failure } = await setUp();
    await writeManifest(store, 'mouse:latest', { layers: [weights.layer] });
    expect((await registry.importModel(root)).suggestedAlias).toBe('mouse');
    await writeManifest(store, 'mouse:other', { layers: [weights.layer, license.layer] });
    const error = await failure(registry.importModel(store));
    expect(error.details).toMatchObject({ models: [{ name: 'mouse' }, { name: 'mouse-other' }] });
  });

  it('is refused when a blob is missing, cut off or damaged, with what is wrong', async () => {
    const { store, registry, weights, license, failure } = await setUp();
    const path = await writeManifest(store, 'mouse:1b', { layers: [weights.layer, license.layer] });
    await writeFile(license.path, 'TIM');
    expect((await failure(registry.importModel(path))).message).toMatch(/license is damaged/);
    await truncate(weights.path, 10);
    expect((await failure(registry.importModel(path))).message).toMatch(/model\.gguf .* has 10 bytes/);
    await rm(license.path);
    const error = await failure(registry.importModel(path));
    expect(error).toMatchObject({ code: 'invalid_model', exitCode: 6 });
    expect(error.message).toContain(basename(license.path).slice(0, 19));
  });

  const digest = `sha256:${'a'.repeat(64)}`;
  const mediaType = 'application/vnd.ollama.image.model';
  it.each([
    ['that is no JSON', '{', /not JSON/],
    ['that is very long', `{"layers":[],"x":"${'x'.repeat(300_000)}"}`, /too long/],
    ['that is nested deeply', '['.repeat(5000), /not JSON/],
    ['without layers', {}, /no layers/],
    ['without a model', { layers: [] }, /no layer with a model/],
    ['with a thousand layers', { layers: Array(1000).fill({ mediaType, digest, size: 1 }) }, /more than 64/],
    ['with a path for a digest', { layers: [{ mediaType, digest: 'sha256:../../etc/passwd', size: 1 }] }, /SHA-256/],
    ['with a path for a kind', { layers: [{ mediaType: `${mediaType}/../x`, digest, size: 1 }] }, /media type/],
    ['with a size that is none', { layers: [{ mediaType, digest, size: -1 }] }, /size of its model/],
    ['of tensors', { layers: [{ mediaType: mediaType.replace('model', 'tensor'), digest, size: 1 }] }, /tensors/],
  ])('is refused by a manifest %s', async (_, manifest, problem) => {
    const { store, registry, failure } = await setUp();
    const path = await writeManifest(store, 'mouse:1b', manifest);
    expect(await failure(registry.importModel(path))).toMatchObject({
      code: 'invalid_model',
      message: expect.stringMatching(problem),
    });
  });

  it('may have blobs in another folder only when that one is served too', async () => {
    const { root, store, registry, weights, failure } = await setUp();
    const elsewhere = join(root, 'elsewhere');
    await mkdir(elsewhere);
    await rm(weights.path);
    await writeFile(join(elsewhere, 'mouse.gguf'), ggufBytes('Mouse'));
    await symlink(join(elsewhere, 'mouse.gguf'), weights.path);
    const path = await writeManifest(store, 'mouse:1b', { layers: [weights.layer] });
    const place = { kind: 'manifest', path } as const;
    const found = { foundIn: store, source: 'local-import' } as const;
    expect((await failure(registry.takeFound(place, found))).code).toBe('refused');
    expect((await failure(registry.importModel(path))).code).toBe('refused');
    const taken = await registry.takeFound(place, { ...found, linksWithin: [elsewhere] });
    expect(taken.outcome).toBe('imported');
    expect((await registry.takeFound(place, { ...found, linksWithin: [elsewhere] })).outcome).toBe('already_there');
  });

  it('is found in the store, and seen to change with its manifest and its blobs', async () => {
    const { store, registry, weights, license } = await setUp();
    const path = await writeManifest(store, 'mouse:1b', { layers: [weights.layer] });
    const { places, folders } = await registry.findPlaces(store);
    expect(places).toEqual([{ kind: 'manifest', path, name: 'mouse:1b' }]);
    expect(folders).toContain(join(path, '..'));
    const [place] = places;
    if (place === undefined) throw new Error('no place');
    const first = await registry.takeFound(place, { foundIn: store, source: 'local-import' });
    const before = await registry.lookAt(place);
    expect(before.hasWeights).toBe(true);
    await writeManifest(store, 'mouse:1b', { layers: [weights.layer, license.layer] });
    expect((await registry.lookAt(place)).fingerprint).not.toBe(before.fingerprint);
    const second = await registry.takeFound(place, { foundIn: store, source: 'local-import' });
    expect(second.entry).toMatchObject({ alias: first.entry.alias, fileCount: 2 });
    await rm(weights.path);
    expect((await registry.lookAt(place)).fingerprint).not.toBe(before.fingerprint);
  });
});
