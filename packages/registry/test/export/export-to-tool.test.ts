import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { listTree } from '@model-rtc/files';
import type { Alias } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { ToolStore } from '../../src/index.ts';
import { installFiles, sha256 } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = {
  'model.gguf': 'GGUF and the weights of a mouse',
  template: '{{ .Prompt }}',
  params: '{"stop":["x"]}',
  license: 'MIT',
  'config.json': '{"a":1}',
  'sub/notes.txt': 'notes',
};
const OTHERS = { 'model.gguf': 'GGUF and other weights', 'config.json': '{"a":2}' };
/** Above the largest process id that Linux gives out. */
const NO_PROCESS = 2 ** 22 + 1;
const STORES: readonly ToolStore[] = ['hf-cache', 'ollama', 'folder'];

async function openModels() {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, FILES, { alias: 'mouse' as Alias });
  await installFiles(registry, OTHERS, { alias: 'vole' as Alias });
  return { registry, entry, folder: join(await temporaryFolder(), 'store') };
}

async function namesIn(folder: string): Promise<string[]> {
  return (await listTree(folder))
    .filter(({ entry }) => !entry.isDirectory())
    .map(({ inside }) => inside)
    .sort();
}

/** All files with their bytes, and links with their targets. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const items = (await listTree(folder)).filter(({ entry }) => !entry.isDirectory());
  const pairs = items.map(async ({ inside, path, entry }) => {
    return [inside, entry.isSymbolicLink() ? await readlink(path) : await readFile(path, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

describe('a model in the store of ollama', () => {
  it('is its blobs and a manifest that names them by their kind', async () => {
    const { registry, folder, entry } = await openModels();
    const exported = await registry.exportToTool('mouse', folder, { as: 'ollama', name: 'lab/mouse:1b' });
    expect(exported).toMatchObject({ name: 'lab/mouse:1b', outcome: 'exported' });
    expect([...exported.leftOut].sort()).toEqual(['config.json', 'sub/notes.txt']);
    expect(exported.path).toBe(join(folder, 'manifests/registry.ollama.ai/lab/mouse/1b'));
    const manifest = JSON.parse(await readFile(exported.path, 'utf8'));
    const layer = (kind: string, text: string) => ({
      mediaType: `application/vnd.ollama.image.${kind}`,
      digest: `sha256:${sha256(text)}`,
      size: text.length,
    });
    expect(manifest.layers).toEqual([
      layer('model', FILES['model.gguf']),
      layer('template', FILES.template),
      layer('params', FILES.params),
      layer('license', FILES.license),
    ]);
    const config = await readFile(join(folder, 'blobs', manifest.config.digest.replace(':', '-')), 'utf8');
    expect(sha256(config)).toBe(manifest.config.digest.slice('sha256:'.length));
    expect(JSON.parse(config)).toMatchObject({ model_format: 'gguf', model_family: entry.modelType });
    for (const { digest } of manifest.layers) {
      expect(sha256(await readFile(join(folder, 'blobs', digest.replace(':', '-'))))).toBe(digest.slice(7));
    }
    expect((await readdir(join(folder, 'blobs'))).length).toBe(5);
  });

  it('keeps its weights, its projector and its adapter apart, whatever the weights are called', async () => {
    const { registry, folder } = await openModels();
    const files = { 'floral-lora-merged.gguf': 'one', 'mmproj-model-f16.gguf': 'two', 'adapter.gguf': 'three' };
    await installFiles(registry, files, { alias: 'floral' as Alias });
    const { path } = await registry.exportToTool('floral', folder, { as: 'ollama' });
    const { layers } = JSON.parse(await readFile(path, 'utf8'));
    const kinds = layers.map(({ mediaType, digest }: { mediaType: string; digest: string }) => [mediaType, digest]);
    const kind = (name: string, text: string) => [`application/vnd.ollama.image.${name}`, `sha256:${sha256(text)}`];
    expect(kinds).toEqual([kind('model', 'one'), kind('projector', 'two'), kind('adapter', 'three')]);
  });

  it('is one file of weights: none and several are refused, and nothing is written', async () => {
    const { registry, folder } = await openModels();
    await installFiles(registry, { 'a.txt': 'no weights' }, { alias: 'text' as Alias });
    await installFiles(registry, { 'a-1.gguf': 'one', 'a-2.gguf': 'two' }, { alias: 'parts' as Alias });
    for (const ref of ['text', 'parts']) {
      const error = await rejection(registry.exportToTool(ref, folder, { as: 'ollama' }));
      expect(error).toMatchObject({ code: 'refused', message: expect.stringContaining('GGUF') });
    }
    expect(await namesIn(folder)).toEqual([]);
  });
});

describe("a model in a hub's cache", () => {
  it('is blobs named as the hub names them, a snapshot of links, and a ref', async () => {
    const { registry, folder, entry } = await openModels();
    const exported = await registry.exportToTool('mouse', folder, { as: 'hf-cache', name: 'lab/mouse' });
    const repository = join(folder, 'models--lab--mouse');
    const commit = entry.digest?.slice(0, 40) ?? '';
    expect(exported).toMatchObject({ outcome: 'exported', path: join(repository, 'snapshots', commit), leftOut: [] });
    expect(await readFile(join(repository, 'refs/main'), 'utf8')).toBe(commit);
    for (const [path, text] of Object.entries(FILES)) {
      expect(await readFile(join(exported.path, path), 'utf8')).toBe(text);
      expect(await readlink(join(exported.path, path))).toMatch(/^(\.\.\/)+blobs\/[0-9a-f]+$/);
    }
    const gitHash = createHash('sha1').update(`blob 7\0${FILES['config.json']}`).digest('hex');
    expect(await readlink(join(exported.path, 'config.json'))).toBe(`../../blobs/${gitHash}`);
    expect(await readlink(join(exported.path, 'model.gguf'))).toBe(`../../blobs/${sha256(FILES['model.gguf'])}`);
  });
});

describe("a snapshot in a hub's cache that somebody changed", () => {
  it('is left as it is, and the export is refused with what to remove', async () => {
    const { registry, folder } = await openModels();
    const { path } = await registry.exportToTool('mouse', folder, { as: 'hf-cache' });
    await rm(join(path, 'config.json'));
    expect(await rejection(registry.exportToTool('mouse', folder, { as: 'hf-cache' }))).toMatchObject({
      code: 'refused',
      message: expect.stringContaining(path),
    });
    await rm(path, { recursive: true });
    await registry.exportToTool('mouse', folder, { as: 'hf-cache' });
    expect(await readFile(join(path, 'config.json'), 'utf8')).toBe(FILES['config.json']);
  });
});

describe('a model in a folder of its own', () => {
  it('is its plain files', async () => {
    const { registry, folder } = await openModels();
    const { path } = await registry.exportToTool('mouse', folder, { as: 'folder' });
    expect(path).toBe(join(folder, 'mouse'));
    expect(await contentOf(path)).toEqual(FILES);
  });
});

describe('a blob with other bytes than its name says', () => {
  it.each(['hf-cache', 'ollama'] as const)('is replaced (%s)', async (as) => {
    const { registry, folder } = await openModels();
    await registry.exportToTool('mouse', folder, { as });
    const before = await contentOf(folder);
    const blobs = (await listTree(folder)).filter(
      ({ inside, entry }) => /blobs\//.test(inside) && !entry.isDirectory(),
    );
    const damaged = blobs.find(({ inside }) => inside.endsWith(sha256(FILES['model.gguf'])))?.path ?? '';
    await rm(damaged);
    await writeFile(damaged, FILES['model.gguf'].toUpperCase());
    await registry.exportToTool('mouse', folder, { as });
    expect(await contentOf(folder)).toEqual(before);
  });
});

describe('what a killed export left', () => {
  it.each(STORES)('goes with the next one (%s)', async (as) => {
    const { registry, folder } = await openModels();
    const name = `.model-rtc.${NO_PROCESS}-0123456789ab.tmp`;
    const at = { 'hf-cache': 'models--mouse/blobs', ollama: 'blobs', folder: '' }[as];
    await mkdir(join(folder, at), { recursive: true });
    await writeFile(join(folder, at, name), 'half');
    await registry.exportToTool('mouse', folder, { as });
    expect((await namesIn(folder)).filter((path) => path.includes('.tmp'))).toEqual([]);
  });
});

describe.each(STORES)('exporting to another tool (%s)', (as) => {
  it('the same model again changes nothing', async () => {
    const { registry, folder } = await openModels();
    const { path } = await registry.exportToTool('mouse', folder, { as });
    const before = await contentOf(folder);
    expect(await registry.exportToTool('mouse', folder, { as })).toMatchObject({ outcome: 'already_there', path });
    expect(await contentOf(folder)).toEqual(before);
  });

  it('takes no name that means another model there', async () => {
    const { registry, folder } = await openModels();
    await registry.exportToTool('mouse', folder, { as, name: 'taken' });
    const before = await contentOf(folder);
    expect(await rejection(registry.exportToTool('vole', folder, { as, name: 'taken' }))).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('--name'),
    });
    expect(await contentOf(folder)).toEqual(before);
  });

  it('refuses names that leave the folder, and the folder of the registry itself', async () => {
    const { registry, folder } = await openModels();
    for (const name of ['../x', '/etc', '..', '.hidden', 'a/../../b', '', 'a\0b']) {
      expect(await rejection(registry.exportToTool('mouse', folder, { as, name }))).toMatchObject({
        code: 'bad_argument',
      });
    }
    const inside = join(registry.paths.root, 'models');
    expect(await rejection(registry.exportToTool('mouse', inside, { as }))).toMatchObject({ code: 'bad_argument' });
  });

  it('shows nothing of a model that is cancelled or no longer whole', async () => {
    const { registry, folder, entry } = await openModels();
    const signal = AbortSignal.abort();
    expect(await rejection(registry.exportToTool('mouse', folder, { as, signal }))).toMatchObject({
      code: 'cancelled',
    });
    const file = join(entry.localPath, 'model.gguf');
    await writeFile(file, FILES['model.gguf'].toUpperCase());
    await utimes(file, new Date(), new Date((await stat(file)).mtimeMs + 5000));
    expect(await rejection(registry.exportToTool('mouse', folder, { as }))).toMatchObject({ code: 'source_changed' });
    expect(await namesIn(folder)).toEqual([]);
  });
});

describe('a name that is to mean another model from now on', () => {
  it.each(['hf-cache', 'ollama'] as const)('means it in %s, and the files of the first one stay', async (as) => {
    const { registry, folder } = await openModels();
    const first = await registry.exportToTool('mouse', folder, { as, name: 'taken' });
    const before = await namesIn(folder);
    const second = await registry.exportToTool('vole', folder, { as, name: 'taken', overwrite: true });
    expect(second.outcome).toBe('exported');
    expect(await namesIn(folder)).toEqual(expect.arrayContaining(before));
    if (as === 'hf-cache') expect(await readFile(join(first.path, 'model.gguf'), 'utf8')).toBe(FILES['model.gguf']);
  });
});
