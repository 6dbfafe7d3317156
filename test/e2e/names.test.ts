import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { CommandResult } from '../support/command.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, importModel, type ModelJson, openScene, pull, push, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab, { workerArgs: ['--verbose'] });
  return opened;
};

interface NamedJson extends ModelJson {
  readonly name?: string;
  readonly tags: readonly string[];
  readonly notes?: string;
  readonly lineage?: { readonly parents: readonly string[]; readonly fineTunedFrom: string };
}

function failed(result: CommandResult): { exitCode: number | undefined; code: string; message: string } {
  return { exitCode: result.exitCode, ...errorOf(result) };
}

async function infoOf(machine: Machine, ref: string): Promise<NamedJson> {
  const info = await machine.succeed(['client', 'model-info', ref, '--json']);
  return info.json<{ entry: NamedJson }>().entry;
}

describe('an alias that another model has', () => {
  it('is settled at the worker as a flag says, and a push learns what its model is called there', async () => {
    const { worker, client } = await scene();
    const machine = await client('pusher');
    const [owner] = await Promise.all([
      importModel(worker, join(FIXTURES, 'tiny-onnx'), 'pushed'),
      importModel(machine, join(FIXTURES, 'tiny-gguf'), 'pushed'),
    ]);
    const unanswered = failed(await machine.run(['client', 'push-model', 'pushed', '--json']));
    expect(unanswered).toMatchObject({ exitCode: 2, code: 'bad_argument' });
    expect(unanswered.message).toMatch(/"pushed-2".*--alias-conflict keep, rename or overwrite/);
    expect((await push(machine, 'pushed', '--alias-conflict', 'rename')).entry.alias).toBe('pushed-2');
    const asked = ['--alias', 'pushed', '--alias-conflict'];
    expect((await push(machine, 'pushed', ...asked, 'overwrite')).entry.alias).toBe('pushed');
    expect((await infoOf(worker, owner.id)).alias).toBeUndefined();
  });

  it('is settled here as a flag says, and the worker is told what its model is called', async () => {
    const { worker, workerProcess, client } = await scene();
    const machine = await client('puller');
    const { digest } = await importModel(worker, join(FIXTURES, 'legacy-rat-2023'), 'pulled');
    const owner = await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'pulled');
    const unanswered = failed(await machine.run(['client', 'pull-model', 'pulled', '--json']));
    expect(unanswered).toMatchObject({ exitCode: 2, code: 'bad_argument' });
    expect(unanswered.message).toContain('--alias-conflict');
    expect((await pull(machine, 'pulled', '--alias-conflict', 'rename')).entry).toMatchObject({
      alias: 'pulled-2',
      digest,
    });
    await workerProcess.waitForStderr(/"clientAlias":"pulled-2"/);
    expect((await infoOf(machine, 'pulled')).id).toBe(owner.id);
  });
});

describe('a name', () => {
  it('is the worker’s first and this machine’s second, and the command says which it took', async () => {
    const { worker, client } = await scene();
    const machine = await client('namer');
    await importModel(worker, join(FIXTURES, 'tiny-llama'), 'theirs');
    const { id } = await pull(machine, 'theirs', '--alias', 'mine').then(({ entry }) => entry);
    const mine = await machine.succeed(['client', 'pull-model', 'mine']);
    expect(mine.stdout).toContain('mine is already here');
    expect(mine.stderr).toContain(`this machine's name for ${id}`);
    await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'theirs');
    const theirs = await machine.succeed(['client', 'pull-model', 'theirs']);
    expect(theirs.stderr).toMatch(/"theirs" is what worker calls/);
  });

  it('that a folder has as well means the model, and the folder is mentioned', async () => {
    const machine = await lab.machine('folders');
    const { id } = await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'onnx');
    await mkdir(join(machine.folder, 'onnx'));
    const { stdout, stderr } = await machine.succeed(['client', 'model-info', 'onnx', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ entry: { id }, resolvedBy: 'alias' });
    expect(stderr).toContain(join(machine.folder, 'onnx'));
    expect(failed(await machine.run(['client', 'model-info', './onnx', '--json']))).toMatchObject({ exitCode: 4 });
  });
});

describe('importing', () => {
  it('takes what is said of a model, and says under which name one is here already', async () => {
    const machine = await lab.machine('importer');
    const parent = await importModel(machine, join(FIXTURES, 'tiny-llama'), 'base');
    const tuned = join(FIXTURES, 'tiny-llama-tuned');
    const said = ['--name', 'Tiny, tuned', '--tag', 'a', '--tag', 'b', '--notes', 'one block', '--parent', 'base'];
    await importModel(machine, tuned, 'tuned', ...said);
    expect(await infoOf(machine, 'tuned')).toMatchObject({
      name: 'Tiny, tuned',
      tags: ['a', 'b'],
      notes: 'one block',
      lineage: { parents: [parent.digest], fineTunedFrom: 'base' },
    });
    const again = (...more: string[]) => ['client', 'import-model', tuned, '--alias', 'other', '--json', ...more];
    const unanswered = failed(await machine.run(again()));
    expect(unanswered).toMatchObject({ exitCode: 2, code: 'bad_argument' });
    expect(unanswered.message).toMatch(/already here as "tuned".*--if-exists/);
    const skipped = (await machine.succeed(again('--if-exists', 'skip'))).json();
    expect(skipped).toMatchObject({ outcome: 'already_there', entry: { alias: 'tuned' } });
    const renamed = (await machine.succeed(again('--if-exists', 'rename'))).json();
    expect(renamed).toMatchObject({ outcome: 'already_there', entry: { alias: 'other', name: 'Tiny, tuned' } });
  });
});

describe('--safe-only', () => {
  it('refuses a model that runs code when it is loaded: at import, at pull, and at the worker', async () => {
    const { worker, client, signalingUrl } = await scene();
    const machine = await client('careful');
    const run = join(FIXTURES, 'good-mouse-v1');
    const atImport = failed(await machine.run(['client', 'import-model', run, '--safe-only', '--json']));
    await importModel(worker, run, 'pickles');
    const atPull = failed(await machine.run(['client', 'pull-model', 'pickles', '--safe-only', '--json']));
    const safeWorker = await lab.machine('safe-worker');
    const serving = safeWorker.start(['worker', '--signaling', signalingUrl, '--safe-only', '--json']);
    const [line] = await serving.waitForStdout(/^\{.*\}$/m);
    const { session } = JSON.parse(line) as { session: string };
    await importModel(machine, run, 'mine');
    const atPush = failed(await machine.run(['client', 'push-model', 'mine', '--worker', session, '--json']));
    for (const refused of [atImport, atPull, atPush]) {
      expect(refused).toMatchObject({ exitCode: 8, code: 'refused' });
      expect(refused.message).toContain('best.ckpt');
    }
    await importModel(machine, join(FIXTURES, 'tiny-gguf'), 'numbers', '--safe-only');
    expect((await push(machine, 'numbers', '--worker', session)).outcome).toBe('pushed');
  });
});
