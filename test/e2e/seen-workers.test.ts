import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLab, type Lab } from '../support/lab.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, importModel, type ModelJson, openScene, pull, type Scene } from '../support/scene.ts';

interface ListedJson extends ModelJson {
  readonly here: boolean;
  readonly displayStatus: string;
  readonly availability: readonly { readonly name: string; readonly alias?: string }[];
}

let lab: Lab;
let scene: Scene;
let client: Machine;

beforeAll(async () => {
  lab = createLab();
  scene = await openScene(lab);
  client = await scene.client('client');
  await importModel(scene.worker, join(FIXTURES, 'good-mouse-v1'), 'good-mouse');
  await importModel(scene.worker, join(FIXTURES, 'tiny-gguf'), 'tiny');
  await importModel(client, join(FIXTURES, 'legacy-rat-2023'), 'rat');
  await client.succeed(['client', 'workers', 'add', 'lab', scene.session]);
});

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

async function list(machine: Machine, ...args: string[]): Promise<ListedJson[]> {
  const result = await machine.succeed(['client', 'list-models', '--sort-by', 'name', '--json', ...args]);
  return result.json<{ models: ListedJson[] }>().models;
}

const aliases = (models: readonly ListedJson[]): (string | undefined)[] => models.map(({ alias }) => alias);

describe('sync', () => {
  it('learns what a worker has, says what changed later, and lists work without the worker then', async () => {
    const first = await client.succeed(['client', 'sync', '--worker', 'lab', '--json']);
    expect(first.json()).toMatchObject({ workers: [{ name: 'lab', total: 2, added: [{}, {}], removed: [] }] });
    await pull(client, 'tiny', '--alias', 'my-tiny');
    const text = (await client.succeed(['client', 'sync', '--all'])).stdout;
    expect(text).toMatch(/^lab: 2 models, no changes$/m);
    expect(text).toMatch(/my-tiny here, tiny there$/m);
    const offline = { MODEL_RTC_SESSION: '' };
    const elsewhere = await client.succeed(['client', 'list-models', '--location', 'worker'], { env: offline });
    expect(elsewhere.stdout).toMatch(/good-mouse .* lab$/m);
    expect(aliases(await list(client, '--location', 'both'))).toEqual(['my-tiny']);
    expect(aliases(await list(client, '--location', 'all'))).toEqual(['good-mouse', 'my-tiny', 'rat']);
    expect(aliases(await list(client))).toEqual(['my-tiny', 'rat']);
    expect(aliases(await list(client, '--worker', 'lab', '--alias', 'ti*'))).toEqual(['tiny']);
  });

  it('reports the worker that is not there by no more than its name, and keeps what it learned of the others', async () => {
    const away = await lab.machine('away');
    const created = ['worker', 'sessions', 'create', '--signaling', scene.signalingUrl, '--json'];
    const { token } = (await away.succeed(created)).json<{ token: string }>();
    const result = await client.run(['client', 'sync', '--worker', 'lab', '--worker', token, '--json']);
    expect(result.exitCode).toBe(5);
    expect(result.json()).toMatchObject({
      workers: [
        { name: 'lab', total: 2 },
        { name: 'a session token', error: { code: 'worker_offline' } },
      ],
    });
    expect(errorOf(result).message).toMatch(/^1 of 2 workers could not be asked/);
    expect(result.stdout + result.stderr).not.toContain(token);
  });

  it('asks nothing where nobody can answer, and names the flags', async () => {
    const none = await client.run(['client', 'sync', '--json'], { env: { MODEL_RTC_SESSION: '' } });
    expect(none.exitCode).toBe(2);
    expect(errorOf(none).message).toMatch(/--worker .*--all/);
  });
});

describe('list-models', () => {
  it('asks a worker that was never asked before, once', async () => {
    const newcomer = await scene.client('newcomer');
    expect(aliases(await list(newcomer, '--worker', scene.session))).toEqual(['good-mouse', 'tiny']);
    const again = await list(newcomer, '--location', 'worker');
    expect(again.map(({ here, availability }) => [here, availability[0]?.name])).toEqual([
      [false, 'worker'],
      [false, 'worker'],
    ]);
  });

  it('shows and filters by what is wrong with a worker’s models, over the connection', async () => {
    const copy = join(await lab.folder(), 'run');
    await cp(join(FIXTURES, 'tiny-onnx'), copy, { recursive: true });
    const { id } = await importModel(scene.worker, copy, 'fleeting');
    await rm(copy, { recursive: true });
    const ask = ['worker', 'list-models', '--status', 'broken_symlink', '--json'];
    const { models } = (await client.succeed(ask)).json<{ models: ListedJson[] }>();
    expect(models).toMatchObject([{ id, displayStatus: 'broken_symlink', here: false }]);
    await scene.worker.succeed(['client', 'delete-model', id, '--yes']);
  });

  it('prints a table for people, and one JSON document for an error too', async () => {
    const shown = await client.succeed(['worker', 'list-models', '--session', 'lab', '--location', 'both']);
    expect(shown.stdout.split('\n')[0]).toMatch(/^ID +ALIAS +TYPE +SIZE/);
    const refused = await client.run(['client', 'list-models', '--limit', '0', '--json']);
    expect([refused.exitCode, errorOf(refused).code]).toEqual([2, 'bad_argument']);
  });
});

describe('model-info', () => {
  it('shows a model as the worker has it, and afterwards from memory with the command that fetches it', async () => {
    const asked = await client.succeed(['client', 'model-info', 'good-mouse', '--worker', 'lab']);
    expect(asked.stdout).toMatch(/best\.ckpt/);
    expect(asked.stdout).toMatch(/model-rtc client pull-model good-mouse --worker lab$/m);
    const remembered = await client.succeed(['client', 'model-info', 'good-mouse'], {
      env: { MODEL_RTC_SESSION: '' },
    });
    expect(remembered.stderr).toMatch(/Not on this machine/);
    expect(remembered.stdout).toMatch(/^ {2}lab +last seen \d{4}-/m);
  });

  it('shows where else a model of this machine is, and how to load it', async () => {
    const { stdout } = await client.succeed(['client', 'model-info', 'my-tiny']);
    expect(stdout).toMatch(/^ {2}lab +last seen .*, as tiny$/m);
    expect(stdout).toMatch(/llama-cli --model .*\.gguf$/m);
  });

  it('exits 4 for what nobody has', async () => {
    expect((await client.run(['client', 'model-info', 'nothing-like-it'])).exitCode).toBe(4);
  });
});
