import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeRandomFile, makeSparseFile, treeDigest } from '../support/files.ts';
import { FIXTURES, IGNORED, importModel, openScene, pull, push, type Scene } from '../support/scene.ts';
import { isLongRun, longIt, useLab } from '../support/suites.ts';

const FIXTURE_NAMES = [
  'good-mouse-v1',
  'good-mouse-v2',
  'legacy-rat-2023',
  'tiny-llama',
  'tiny-llama-tuned',
  'tiny-gguf',
  'tiny-onnx',
];
const LANES = ['direct', 'webrtc', 'relay'];
const GIBIBYTE = 1024 ** 3;
/** A multiple of 100. */
const SMALL_FILES = isLongRun ? 10_000 : 1_000;

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
/** One signaling server and worker for all tests of this file, as in life. */
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab);
  return opened;
};

/** Pushes a folder from one new client and pulls it with another; gives what both ends hold. */
async function roundTrip(path: string, alias: string, lane = 'auto', ...importArgs: string[]) {
  const { client, worker } = await scene();
  const [sender, receiver] = [await client(`${alias}-sender`), await client(`${alias}-receiver`)];
  const imported = await importModel(sender, path, alias, ...importArgs);
  const pushed = await push(sender, alias, '--lane', lane);
  const pulled = await pull(receiver, alias, '--lane', lane);
  const atWorker = (await worker.succeed(['client', 'model-info', alias, '--json'])).json<{
    entry: { localPath: string };
  }>();
  return {
    imported,
    pushed,
    pulled,
    sent: await treeDigest(imported.localPath, IGNORED),
    stored: await treeDigest(atWorker.entry.localPath, IGNORED),
    received: await treeDigest(pulled.entry.localPath, IGNORED),
  };
}

describe('a model that is pushed to a worker and pulled by another client', () => {
  // In turn over each kind of lane.
  it.each(FIXTURE_NAMES.map((name, i) => [name, LANES[i % LANES.length] as string] as const))(
    'is the same byte for byte: %s over %s',
    async (name, lane) => {
      const trip = await roundTrip(join(FIXTURES, name), name, lane);
      expect(trip.pulled.entry.digest).toBe(trip.imported.digest);
      expect(trip.sent.size).toBeGreaterThan(0);
      expect([...trip.stored].map(([path, { sha256 }]) => [path, sha256])).toEqual(
        [...trip.sent].map(([path, { sha256 }]) => [path, sha256]),
      );
      expect(trip.received).toEqual(trip.stored);
      for (const { lanes } of [trip.pushed, trip.pulled])
        expect(new Set(lanes.map(({ kind }) => kind))).toEqual(new Set([lane]));
    },
    120_000,
  );

  it('keeps odd names, empty files and folders, and makes nothing executable', async () => {
    const folder = join(await lab.folder(), 'odd');
    const files: Record<string, string> = {
      'weights.msgpack': 'not really tensors',
      'a name with spaces.txt': 'spaces',
      'at 12:30:00.json': '{}',
      'a:b.json': '{}',
      'мышь/模型-ñ.bin': 'unicode',
      'empty.txt': '',
      'deep/er/than/most/file.cfg': 'x',
      'emoji 🐭.md': 'mouse',
    };
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(folder, path, '..'), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    await writeFile(join(folder, 'run.sh'), '#!/bin/sh\n');
    await chmod(join(folder, 'run.sh'), 0o755);
    const trip = await roundTrip(folder, 'odd', 'auto', '--include', '*.sh');
    expect([...trip.received.keys()].sort()).toEqual([...Object.keys(files), 'run.sh'].sort());
    expect(trip.received.get('run.sh')?.mode).toBe(0o644);
    expect(trip.received.get('empty.txt')?.size).toBe(0);
    expect(trip.received).toEqual(await modes644(folder));
  }, 120_000);

  it(`may have ${SMALL_FILES} small files`, async () => {
    const folder = join(await lab.folder(), 'many');
    for (let group = 0; group < SMALL_FILES / 100; group++) {
      await mkdir(join(folder, `part-${group}`), { recursive: true });
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => writeFile(join(folder, `part-${group}`, `${i}.bin`), `${group}/${i}`)),
      );
    }
    await writeFile(join(folder, 'model.msgpack'), 'weights');
    const trip = await roundTrip(folder, 'many');
    expect(trip.received.size).toBe(SMALL_FILES + 1);
    expect(trip.received).toEqual(trip.sent);
  }, 600_000);

  longIt(
    'may have a file of more than 4 GiB',
    async () => {
      const folder = join(await lab.folder(), 'large');
      await makeSparseFile(join(folder, 'large.msgpack'), 4 * GIBIBYTE + 123_457, {
        markerEveryBytes: 64 * 1024 * 1024,
      });
      const { client } = await scene();
      const [sender, receiver] = [await client('large-sender'), await client('large-receiver')];
      const imported = await importModel(sender, folder, 'large');
      const pushed = await push(sender, 'large');
      const pulled = await pull(receiver, 'large');
      expect(pulled.entry).toMatchObject({ digest: imported.digest, size: 4 * GIBIBYTE + 123_457 });
      expect(pushed.entry.digest).toBe(imported.digest);
      // The digest tells what was imported: reading the original as well would take as long as the import.
      const [[path, { sha256, size }] = ['', { sha256: '', size: 0 }]] = await treeDigest(
        pulled.entry.localPath,
        IGNORED,
      );
      const line = `${sha256} ${size} ${path}\n`;
      expect(createHash('sha256').update(line).digest('hex')).toBe(imported.digest);
    },
    600_000,
  );

  it('can be named by its alias, its id or the start of its digest', async () => {
    const { client } = await openScene(lab);
    const sender = await client('refs-sender');
    const { id, digest } = await importModel(sender, join(FIXTURES, 'tiny-onnx'), 'refs');
    await push(sender, id);
    for (const ref of ['refs', id, digest.slice(0, 11), digest]) {
      const receiver = await client(`refs-${ref}`);
      expect((await pull(receiver, ref)).entry.digest).toBe(digest);
    }
  }, 120_000);

  it('goes to two clients at once', async () => {
    const { client } = await scene();
    const folder = join(await lab.folder(), 'shared-model');
    await makeRandomFile(join(folder, 'weights.msgpack'), 40_000_000);
    const sender = await client('both-sender');
    const { digest } = await importModel(sender, folder, 'both');
    await push(sender, 'both');
    const receivers = await Promise.all([client('both-1'), client('both-2')]);
    const pulled = await Promise.all(receivers.map((receiver) => pull(receiver, 'both')));
    expect(pulled.map(({ entry }) => entry.digest)).toEqual([digest, digest]);
  }, 120_000);

  it('comes whole from two clients that push it at once', async () => {
    const { client, worker } = await scene();
    const folder = join(await lab.folder(), 'twice');
    await makeRandomFile(join(folder, 'weights.msgpack'), 40_000_000);
    const senders = await Promise.all([client('twice-1'), client('twice-2')]);
    const [one] = await Promise.all(senders.map((sender) => importModel(sender, folder, 'twice')));
    const pushed = await Promise.all(senders.map((sender) => push(sender, 'twice')));
    expect(pushed.map(({ entry }) => entry.digest)).toEqual([one?.digest, one?.digest]);
    const { valid } = (await worker.succeed(['client', 'model-info', 'twice', '--json'])).json<{
      check: { valid: boolean };
    }>().check;
    expect(valid).toBe(true);
  }, 120_000);
});

describe('what is there already', () => {
  it('is not sent again', async () => {
    const { client } = await openScene(lab);
    const sender = await client('again-sender');
    await importModel(sender, join(FIXTURES, 'tiny-gguf'), 'again');
    await push(sender, 'again');
    const second = await push(sender, 'again');
    expect(second).toMatchObject({ outcome: 'already_there', transferredBytes: 0 });
    const receiver = await client('again-receiver');
    await pull(receiver, 'again');
    expect(await pull(receiver, 'again')).toMatchObject({ outcome: 'already_there', transferredBytes: 0 });
  }, 120_000);

  it('is not sent as part of another model either: a fine-tune sends the changed tensors', async () => {
    const { client } = await openScene(lab);
    const [sender, receiver] = [await client('tuned-sender'), await client('tuned-receiver')];
    await importModel(sender, join(FIXTURES, 'tiny-llama'), 'base');
    await importModel(sender, join(FIXTURES, 'tiny-llama-tuned'), 'tuned');
    await push(sender, 'base');
    await push(sender, 'tuned');
    await pull(receiver, 'base');
    const tuned = await pull(receiver, 'tuned');
    expect(tuned.outcome).toBe('pulled');
    expect(tuned.reusedBytes).toBeGreaterThan(0.6 * tuned.entry.size);
    expect(tuned.transferredBytes + tuned.reusedBytes).toBe(tuned.entry.size);
    expect(tuned.lanes[0]?.receivedBytes).toBeLessThan(tuned.transferredBytes * 1.1 + 100_000);
    expect(await treeDigest(tuned.entry.localPath, IGNORED)).toEqual(
      await modes644(join(FIXTURES, 'tiny-llama-tuned')),
    );
  }, 120_000);

  it('is fetched anew when it is asked to be overwritten', async () => {
    const { client } = await openScene(lab);
    const folder = join(await lab.folder(), 'anew');
    await cp(join(FIXTURES, 'legacy-rat-2023'), folder, { recursive: true });
    const [sender, receiver] = [await client('anew-sender'), await client('anew-receiver')];
    await importModel(sender, folder, 'anew');
    await push(sender, 'anew');
    const first = await pull(receiver, 'anew');
    const path = join(first.entry.localPath, 'best_model.h5');
    await chmod(path, 0o644);
    await writeFile(path, 'damaged');
    const second = await pull(receiver, 'anew', '--if-exists', 'overwrite');
    expect(second.outcome).toBe('pulled');
    expect(await treeDigest(second.entry.localPath, IGNORED)).toEqual(await modes644(folder));
  }, 120_000);
});

/** A folder's files with the permissions that a received model has. */
async function modes644(folder: string) {
  const facts = await treeDigest(folder);
  return new Map([...facts].map(([path, fact]) => [path, { ...fact, mode: 0o644 }]));
}
