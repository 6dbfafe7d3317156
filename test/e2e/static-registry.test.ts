import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type FileServer, serveFolder } from '../support/file-server.ts';
import type { Machine } from '../support/machine.ts';
import { changeList, digestOf, publish } from '../support/registry-folder.ts';
import { errorOf, importModel, openScene, pull, type TransferJson } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const SIZE = 40_000_000;
const REF = 'whisper/tiny@fp16';
const lab = useLab();

interface PublishedModel {
  readonly files: Readonly<Record<string, Buffer>>;
  readonly registry: string;
  readonly server: FileServer;
}

/** A model in a registry behind HTTP, cut every 10 MB. */
async function publishModel({ withHashes = true } = {}): Promise<PublishedModel> {
  const registry = join(await lab.folder(), 'registry');
  const files = { 'weights.msgpack': randomBytes(SIZE), 'config.json': Buffer.from('{"layers":2}') };
  await publish(registry, ['whisper', 'tiny', 'fp16'], files, { chunkBytes: 10_000_000, withHashes });
  return { files, registry, server: await serveFolder(registry) };
}

async function writeModel(files: PublishedModel['files']): Promise<string> {
  const folder = join(await lab.folder(), 'model');
  await mkdir(folder);
  for (const [path, bytes] of Object.entries(files)) await writeFile(join(folder, path), bytes);
  return folder;
}

async function expectModel({ entry }: TransferJson, files: PublishedModel['files']): Promise<void> {
  expect(entry.digest).toBe(digestOf(files));
  for (const [path, bytes] of Object.entries(files)) {
    expect((await readFile(join(entry.localPath, path))).equals(bytes)).toBe(true);
  }
}

async function namesOf(machine: Machine): Promise<unknown[]> {
  const listed = await machine.succeed(['client', 'list-models', '--json']);
  return (JSON.parse(listed.stdout) as { models: { name?: string }[] }).models.map(({ name }) => name);
}

describe('a static registry', () => {
  it('gives a model without any worker, which is then found, pushed and pulled by its name there', async () => {
    const { files, registry } = await publishModel();
    const { client: machine } = await openScene(lab);
    const client = await machine('client');
    await changeList(registry, ({ whisper }) => Object.assign(whisper?.tiny ?? {}, { latest: { alias: 'fp16' } }));
    const pulled = await pull(await lab.machine('alone'), 'whisper/tiny@latest', '--registry', `file://${registry}`);
    await expectModel(pulled, files);
    const first = await pull(client, REF, '--registry', `file://${registry}`);
    expect(first.entry.localPath).toMatch(/whisper-tiny_fp16$/);
    expect(await namesOf(client)).toEqual([REF]);
    await client.succeed(['client', 'push-model', REF, '--json']);
    const other = await pull(await machine('other'), REF);
    await expectModel(other, files);
  }, 180_000);

  it.each([true, false])(
    'gives a model together with a worker (the manifest has hashes: %s)',
    async (withHashes) => {
      const { files, server } = await publishModel({ withHashes });
      const scene = await openScene(lab);
      // Cut by the worker's own rules, not by the registry's.
      await importModel(scene.worker, await writeModel(files), 'tiny', '--name', REF);
      const client = await scene.client('client');
      const both = ['--registry', server.url, '--limit', '20MB', '--worker', scene.session];
      const pulled = await pull(client, REF, ...both);
      await expectModel(pulled, files);
      expect(pulled.transferredBytes).toBe(SIZE + 12);
      expect(pulled.workers.map(({ name }) => name).sort()).toEqual([new URL(server.url).host, 'worker'].sort());
      expect(pulled.workers.every(({ bytes }) => bytes > 0)).toBe(true);
    },
    180_000,
  );

  it('is used beside a worker by models pull, which takes bytes from both and finds the model there afterwards', async () => {
    const { files, server } = await publishModel();
    const scene = await openScene(lab);
    // Cut by the worker's own rules, not by the registry's.
    await importModel(scene.worker, await writeModel(files), 'tiny', '--name', REF);
    // Each answer of the registry is slow, so that the worker is there before it has given all.
    server.misbehave = async ({ range }) => {
      if (range !== undefined) await new Promise((done) => setTimeout(done, 700));
      return false;
    };
    const client = await lab.machine('client');
    const args = ['whisper/tiny', 'fp16', '--registry', server.url, '--concurrency', '1', '--worker', scene.session];
    const { stdout } = await client.succeed(['models', 'pull', ...args, '--json']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { model, sources, event, transferredBytes } = lines.at(-1);
    expect({ event, transferredBytes }).toEqual({ event: 'result', transferredBytes: SIZE + 12 });
    expect(sources).toHaveLength(2);
    expect(sources.every(({ bytes }: { bytes: number }) => bytes > 0)).toBe(true);
    expect(sources.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0)).toBe(SIZE + 12);
    const path = (await client.succeed(['models', 'path', 'whisper/tiny', 'fp16'])).stdout.trim();
    expect(path).toBe(model.path);
    await expectModel({ entry: { ...model, localPath: path } } as TransferJson, files);
    expect(lines.filter((line) => line.event === 'progress').some(({ lanes }) => lanes.length > 0)).toBe(true);
  }, 180_000);

  it('goes on in the middle of a chunk after kill -9', async () => {
    const { files, server } = await publishModel();
    const client = await lab.machine('client');
    const pulling = client.start(['client', 'pull-model', REF, '--json', '--registry', server.url, '--limit', '8MB']);
    await pulling.waitForStdout(/"doneBytes":1[3-9]\d{6}/);
    await pulling.kill('SIGKILL');
    const pulled = await pull(client, REF, '--registry', server.url);
    await expectModel(pulled, files);
    expect(pulled.resumedBytes).toBeGreaterThan(11_000_000);
    expect(pulled.resumedBytes + pulled.transferredBytes).toBe(SIZE + 12);
    expect(await readdir(join(client.home, 'staging'))).toEqual([]);
  }, 180_000);

  it('is asked once by two processes that pull one model: the other waits and finds it there', async () => {
    const { files, server } = await publishModel({ withHashes: false });
    const client = await lab.machine('client');
    const both = await Promise.all([1, 2].map(() => pull(client, REF, '--registry', server.url, '--limit', '20MB')));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['already_there', 'pulled']);
    for (const each of both) await expectModel(each, files);
    expect(both.reduce((sum, { transferredBytes }) => sum + transferredBytes, 0)).toBe(SIZE + 12);
  }, 180_000);

  it('ends with 3 for what it does not have, 5 when it is not there, and 6 for wrong bytes and where a pinned key did not sign', async () => {
    const { server } = await publishModel();
    const client = await lab.machine('client');
    const from = async (ref: string, url: string) => {
      const ended = await client.run(['client', 'pull-model', ref, '--json', '--registry', url]);
      return { exitCode: ended.exitCode, error: errorOf(ended) };
    };
    await client.succeed(['models', 'trust', '00'.repeat(32), '--registry', server.url]);
    expect(await from(REF, server.url)).toMatchObject({
      exitCode: 6,
      error: { message: expect.stringContaining('is not signed, and a key is pinned for it') },
    });
    await client.succeed(['models', 'trust', '00'.repeat(32), '--registry', server.url, '--remove']);
    expect(await from('whisper/tiny@fp32', server.url)).toMatchObject({
      exitCode: 3,
      error: { message: expect.stringContaining('It has: fp16.') },
    });
    expect(await from(REF, 'http://127.0.0.1:9/models')).toMatchObject({ exitCode: 5 });
    server.misbehave = ({ path, range }, response, bytes) => {
      if (!path.startsWith('data/') || range === undefined) return false;
      const [start, end] = range.slice(6).split('-').map(Number) as [number, number];
      response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${bytes.length}` });
      response.end(Buffer.alloc(end - start + 1));
      return true;
    };
    expect(await from(REF, server.url)).toMatchObject({ exitCode: 6 });
    expect(await namesOf(client)).toEqual([]);
  }, 180_000);
});
