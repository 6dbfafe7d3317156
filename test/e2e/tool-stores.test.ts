import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openScene, pull, type TransferJson } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();
const MEDIA = 'application/vnd.ollama.image.';

interface OllamaManifest {
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
}

/** GGUF version 3 with no tensors and two values of metadata. */
function gguf(name: string): Buffer {
  const count = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  const text = (value: string): Buffer => Buffer.concat([count(value.length), Buffer.from(value)]);
  const isText = Buffer.from([8, 0, 0, 0]);
  const pairs = [
    ['general.architecture', 'llama'],
    ['general.name', name],
  ] as const;
  return Buffer.concat([
    ...[Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), count(0), count(pairs.length)],
    ...pairs.flatMap(([key, value]) => [text(key), isText, text(value)]),
  ]);
}

async function writeStore(store: string): Promise<OllamaManifest> {
  const layers = [];
  await mkdir(join(store, 'blobs'), { recursive: true });
  const parts = { model: gguf('Mouse'), template: '{{ .Prompt }}', params: '{"stop":["x"]}', license: 'MIT' };
  for (const [kind, content] of Object.entries(parts)) {
    const bytes = Buffer.from(content);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(store, 'blobs', `sha256-${sha256}`), bytes);
    layers.push({ mediaType: MEDIA + kind, digest: `sha256:${sha256}`, size: bytes.length });
  }
  const manifests = join(store, 'manifests/registry.ollama.ai/library/mouse');
  await mkdir(manifests, { recursive: true });
  const config = { ...layers[0], mediaType: 'application/vnd.docker.container.image.v1+json' };
  await writeFile(join(manifests, '1b'), JSON.stringify({ schemaVersion: 2, config, layers }));
  return { layers };
}

it("takes a model from ollama's store on one machine to ollama's store and a hub's cache on another", async () => {
  const store = join(await lab.folder(), 'models');
  const { layers } = await writeStore(store);
  const before = await readdir(store, { recursive: true });
  const scene = await openScene(lab, { workerArgs: ['--read-only-store', store] });
  await scene.workerProcess.waitForStderr(/gave 1 model/);
  const client = await scene.client('client');
  const { entry }: TransferJson = await pull(client, 'mouse-1b');

  const to = join(client.folder, 'ollama');
  const exported = ['client', 'export-model', entry.id, '--to', to, '--as', 'ollama', '--name', 'mouse:1b', '--json'];
  const { path, outcome } = (await client.succeed(exported)).json<{ path: string; outcome: string }>();
  expect(outcome).toBe('exported');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as OllamaManifest;
  expect(manifest.layers).toEqual(layers);
  for (const { digest, size } of layers) {
    expect((await stat(join(to, 'blobs', digest.replace(':', '-')))).size).toBe(size);
  }
  expect((await client.succeed(exported)).json()).toMatchObject({ outcome: 'already_there' });

  const hub = ['client', 'export-model', entry.id, '--to', join(client.folder, 'hub'), '--as', 'hf-cache', '--json'];
  const snapshot = (await client.succeed(hub)).json<{ path: string }>().path;
  const again = await client.succeed(['client', 'import-model', snapshot, '--json', '--if-exists', 'skip']);
  expect(again.json()).toMatchObject({ entry: { digest: entry.digest } });
  expect(await readdir(store, { recursive: true })).toEqual(before);
}, 60_000);
