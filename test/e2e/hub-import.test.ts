import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { makeRandomFile, sha256Of } from '../support/files.ts';
import { type LocalHub, startHub } from '../support/hub/local-hub.ts';
import { SMALL_MODEL, smallModel } from '../support/hub/small-model.ts';
import type { Machine } from '../support/machine.ts';
import { program } from '../support/requirements.ts';
import { errorOf, openScene, pull } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { TerminalCommand } from '../support/terminal.ts';

const lab = useLab();
const REPO = 'Qwen/Qwen2.5-0.5B';
const BIG_BYTES = 48 * 1024 * 1024;

let hub: LocalHub;
let machine: Machine;

interface ImportedJson {
  readonly outcome: string;
  readonly entry: {
    readonly id: string;
    readonly name: string;
    readonly alias: string;
    readonly localPath: string;
    readonly size: number;
  };
  readonly transfer?: { readonly transferredBytes: number; readonly resumedBytes: number };
}

beforeEach(async () => {
  hub = await startHub();
  hub.addModel(REPO, { files: smallModel(), ...SMALL_MODEL });
  machine = await lab.machine('laptop', { env: hub.env });
});

const args = (reference: string, ...more: string[]) => ['client', 'import-model', reference, ...more];

async function imported(reference: string, ...more: string[]): Promise<ImportedJson> {
  return (await machine.succeed(args(reference, '--accept-license', '--json', ...more))).json<ImportedJson>();
}

/** A repository with a file that takes a while. */
async function addBigModel(): Promise<string> {
  const path = join(await lab.folder(), 'model.bin');
  await makeRandomFile(path, BIG_BYTES);
  const content = { path, size: BIG_BYTES, sha256: (await sha256Of(path)) as never };
  hub.addModel('org/big', { files: { ...smallModel(), 'extra/weights.bin': content }, ...SMALL_MODEL });
  return path;
}

/** From now on the storage gives so many parts of files, and then keeps everybody waiting. */
function stallAfter(parts: number): void {
  let given = 0;
  hub.fault = ({ at }) => at === 'storage' && ++given > parts;
}

describe('importing a model from a hub', () => {
  it('asks for nothing in a script: it names the option that is missing, and fetches nothing', async () => {
    const refused = await machine.run(args(`hf:${REPO}`, '--json'));
    expect(refused.exitCode).toBe(2);
    expect(errorOf(refused)).toMatchObject({ code: 'bad_argument', details: { flag: '--accept-license' } });
    expect(hub.fileRequests).toBe(0);
    const first = await imported(`hf:${REPO}`);
    expect(first).toMatchObject({ outcome: 'imported', entry: { name: 'qwen2.5-0.5b', alias: 'qwen2-5-0-5b' } });
    const before = hub.fileRequests;
    expect(await imported(`hf:${REPO}`)).toMatchObject({ outcome: 'already_there', entry: { id: first.entry.id } });
    expect(hub.fileRequests).toBe(before);
    expect(JSON.parse(await readFile(join(first.entry.localPath, 'metadata.json'), 'utf8'))).toMatchObject({
      model_id: REPO,
    });
    for (const check of [['verify'], ['clean-models', '--dry-run'], ['validate', first.entry.id]]) {
      expect((await machine.run(['client', ...check])).stdout).not.toContain('metadata.json');
    }
    expect(hub.askedFor('modeling_qwen.py')).toEqual([]);
  });

  it('decides about a name that another model has as --if-exists says', async () => {
    const { entry } = await imported(`hf:${REPO}`);
    hub.addModel('other/qwen2.5-0.5b', { files: smallModel(2), ...SMALL_MODEL });
    const other = 'hf:other/qwen2.5-0.5b';
    const unasked = await machine.run(args(other, '--accept-license', '--json'));
    expect(unasked.exitCode).toBe(2);
    expect(errorOf(unasked)).toMatchObject({ details: { flag: '--if-exists' } });
    const cancelled = await machine.run(args(other, '--accept-license', '--if-exists', 'cancel', '--json'));
    expect([cancelled.exitCode, errorOf(cancelled).code]).toEqual([8, 'alias_taken']);
    const renamed = await imported(other, '--if-exists', 'rename');
    expect(renamed.entry).toMatchObject({ name: 'qwen2.5-0.5b-2', alias: 'qwen2-5-0-5b-2' });
    hub.addModel('third/qwen2.5-0.5b', { files: smallModel(3), ...SMALL_MODEL });
    expect((await imported('hf:third/qwen2.5-0.5b', '--if-exists', 'overwrite')).entry.name).toBe('qwen2.5-0.5b');
    const info = await machine.succeed(['client', 'model-info', entry.id, '--json']);
    expect(info.json<{ entry: { name?: string } }>().entry.name).toBeUndefined();
  });

  it.each([
    [['hf:../evil'], 'names no model of a hub'],
    [['hf:Qwen/Qwen2.5-0.5B', '--name', '../evil'], 'cannot be the name of a model'],
    [['hf:Qwen/Qwen2.5-0.5B', '--if-exists', 'skip'], '--if-exists skip is for models on this disk'],
    [['hf:Qwen/Qwen2.5-0.5B', '--alias-conflict', 'keep'], 'Pass --if-exists'],
    [['hf:Qwen/Qwen2.5-0.5B', '--copy'], '--copy is for models on this disk'],
    [['hf:Qwen/Qwen2.5-0.5B@main', '--revision', 'v2'], 'Pass the revision once'],
    [['.', '--arch-any'], '--arch-any is for models from a hub'],
  ])('refuses %j', async ([reference = '', ...more], text) => {
    const refused = await machine.run(args(reference, '--accept-license', ...more));
    const forDisk = await machine.run(args(reference, ...more));
    const shown = reference === '.' ? forDisk : refused;
    expect([shown.exitCode, shown.stderr]).toEqual([2, expect.stringContaining(text)]);
    expect(hub.fileRequests).toBe(0);
  });

  it.each([
    ['killed', 'SIGKILL'],
    ['interrupted', 'SIGINT'],
  ] as const)('goes on where it was %s, and shows nothing of the model before it is whole', async (_, signal) => {
    const original = await addBigModel();
    stallAfter(12);
    const running = machine.start(args('hf:org/big', '--accept-license', '--json'));
    await running.waitForStdout(/"state":"transferring","doneBytes":[1-9]\d{6}/);
    const stopped = await running.kill(signal);
    if (signal === 'SIGINT') expect(stopped).toMatchObject({ exitCode: 130 });
    const list = await machine.succeed(['client', 'list-models', '--json']);
    expect(list.json<{ models: unknown[] }>().models).toEqual([]);
    hub.fault = () => false;
    const { entry, transfer } = await imported('hf:org/big');
    expect(transfer?.resumedBytes).toBeGreaterThan(1_000_000);
    expect((transfer?.resumedBytes ?? 0) + (transfer?.transferredBytes ?? 0)).toBe(entry.size);
    expect(await sha256Of(join(entry.localPath, 'extra/weights.bin'))).toBe(await sha256Of(original));
  });

  it('says how to get a gated model, takes a token from a file, and shows it nowhere', async () => {
    const gated = hub.addModel('org/gated', { files: smallModel(4), ...SMALL_MODEL, gated: 'manual' });
    hub.tokens.add('hf_secret').add('hf_stranger');
    gated.readers.add('hf_secret');
    const file = join(machine.folder, 'token');
    await writeFile(file, 'hf_stranger\n');
    const missing = await machine.run(args('hf:org/gated', '--accept-license'));
    expect([missing.exitCode, missing.stderr]).toEqual([8, expect.stringContaining(`${hub.url}/org/gated`)]);
    const stranger = await machine.run(args('hf:org/gated', '--accept-license', '--token-file', file));
    expect([stranger.exitCode, stranger.stderr]).toEqual([8, expect.stringContaining('may not read org/gated')]);
    expect(hub.askedFor('model.safetensors')).toEqual([]);
    await writeFile(file, 'hf_secret\n');
    const taken = await machine.succeed(args('hf:org/gated', '--accept-license', '--token-file', file, '--verbose'));
    expect(taken.stdout + taken.stderr).not.toContain('hf_secret');
    const { entry } = await imported('hf:org/gated');
    expect(await readFile(join(entry.localPath, '.model-rtc/entry.json'), 'utf8')).not.toContain('hf_secret');
  });

  it('is sent on by a worker without metadata.json, and gets one of its own where it arrives', async () => {
    const { worker, client: clientNamed } = await openScene(lab);
    const client = await clientNamed('desk');
    const taken = await worker.succeed(args(`hf:${REPO}`, '--accept-license', '--json'), { env: hub.env });
    const { entry } = taken.json<ImportedJson>();
    const pulled = await pull(client, entry.alias);
    expect(pulled.entry).toMatchObject({ id: entry.id, name: 'qwen2.5-0.5b', hub: { repo: REPO }, fileCount: 3 });
    const read = async (folder: string) => JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8'));
    const [there, here] = [await read(entry.localPath), await read((pulled.entry as { localPath: string }).localPath)];
    expect(here).toMatchObject({ model_id: REPO, digest: there.digest, revision: there.revision });
    expect(here.created_at).not.toBe(there.created_at);
    // What the worker says of the model's origin is no reason to believe that it is what the hub has.
    const before = hub.fileRequests;
    const again = await client.succeed(args(`hf:${REPO}`, '--accept-license', '--json'), { env: hub.env });
    expect(again.json<ImportedJson>()).toMatchObject({ outcome: 'already_there', entry: { id: entry.id } });
    expect(hub.askedFor('model.safetensors').length).toBe(1);
    expect(hub.fileRequests).toBeGreaterThan(before);
  });

  it('knows which models were made from which, and which have a newer revision', async () => {
    const parent = await imported(`hf:${REPO}`);
    hub.addModel('org/tuned', { files: smallModel(5), ...SMALL_MODEL, card: { license: 'mit', base_model: REPO } });
    await imported('hf:org/tuned');
    const refused = await machine.run(['client', 'delete-model', parent.entry.id]);
    expect(refused.stderr).toContain('Models made from this one stay: tuned');
    expect(refused.stderr).toContain('1 model here was made from it.');
    hub.repositories.get(REPO)?.push(smallModel(6));
    const { models } = (await machine.succeed(['client', 'update', '--json'])).json<{
      models: { name: string; state: string }[];
    }>();
    expect(Object.fromEntries(models.map(({ name, state }) => [name, state]))).toEqual({
      'qwen2.5-0.5b': 'newer',
      tuned: 'current',
    });
  });
});

describeWith([program('script', 'bsdutils')], 'importing a model from a hub at a terminal', () => {
  it('asks for the license and for what to do about a taken name', async () => {
    await imported(`hf:${REPO}`);
    hub.addModel('other/qwen2.5-0.5b', { files: smallModel(2), ...SMALL_MODEL });
    const terminal = new TerminalCommand(machine, args('hf:other/qwen2.5-0.5b'), hub.env);
    lab.onEnd(() => terminal.close());
    await terminal.waitFor('has the license apache-2.0');
    await terminal.waitFor('Do you accept it?');
    terminal.type('y');
    await terminal.waitFor('What should happen?');
    await terminal.waitFor('Call the new model "qwen2.5-0.5b-2"');
    terminal.type('\r');
    await terminal.waitFor('Imported qwen2.5-0.5b-2');
    expect(await terminal.end()).toBe(0);
  });

  it('fetches nothing when the license is declined', async () => {
    const terminal = new TerminalCommand(machine, args(`hf:${REPO}`), hub.env);
    lab.onEnd(() => terminal.close());
    await terminal.waitFor('Do you accept it?');
    terminal.type('n');
    await terminal.waitFor('was not accepted, so nothing was fetched');
    expect(await terminal.end()).toBe(8);
    expect(hub.fileRequests).toBe(0);
  });

  it('asks for a token without showing it', async () => {
    const gated = hub.addModel('org/gated', { files: smallModel(4), ...SMALL_MODEL, gated: 'auto' });
    hub.tokens.add('hf_secret');
    gated.readers.add('hf_secret');
    const terminal = new TerminalCommand(machine, args('hf:org/gated', '--accept-license'), hub.env);
    lab.onEnd(() => terminal.close());
    await terminal.waitFor('Access token, which is not stored?');
    terminal.type('hf_secret\r');
    await terminal.waitFor('Imported gated');
    expect(await terminal.end()).toBe(0);
    expect(terminal.shown).not.toContain('hf_secret');
  });
});
