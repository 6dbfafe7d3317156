import { appendFile, cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { PYTHON } from '../support/requirements.ts';
import { declareRunners } from '../support/runners.ts';
import { errorOf, FIXTURES, IGNORED, pull, startSignaling, startWorker } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();

interface ListedModel {
  readonly id: string;
  readonly digest?: string;
  readonly alias?: string;
  readonly status: string;
  readonly importedAt?: string;
  readonly metrics: Record<string, number>;
}

async function list(machine: Machine): Promise<ListedModel[]> {
  const result = await machine.succeed(['worker', 'list-models', '--sort-by', 'name', '--json']);
  return result.json<{ models: ListedModel[] }>().models;
}

/** What a model's files hold; their modes are each machine's own. */
async function digests(folder: string): Promise<[string, string][]> {
  const files = await treeDigest(folder, { ignore: [...IGNORED.ignore, 'logs', 'tmp'] });
  return [...files].map(([path, { sha256 }]) => [path, sha256]);
}

/** A worker with watched folders, as a process, and a client that holds its session. */
async function open(args: readonly string[]) {
  const { url } = await startSignaling(lab);
  const worker = await lab.machine('worker');
  const { process, session } = await startWorker(worker, url, args);
  const client = await lab.machine('client', { env: { MODEL_RTC_SESSION: session } });
  return { url, worker, process, client, session };
}

/** Makes a fixture's run one that has trained so far, as its tool writes it. */
async function startTraining(folder: string, epochs: number): Promise<string> {
  const run = join(folder, 'models', 'good-mouse-v1');
  await cp(join(FIXTURES, 'good-mouse-v1'), run, { recursive: true });
  const rows = Array.from({ length: epochs }, (_, epoch) => `${epoch},0.5,${1 / (epoch + 2)},0.001\n`);
  await rm(join(run, 'training_log.csv'));
  await writeFile(join(run, 'training_log.csv'), `epoch,train_loss,val_loss,learning_rate\n${rows.join('')}`);
  return run;
}

describe('a worker that watches a folder', () => {
  it('shows a training, then that it was interrupted and how it goes on, then the model that it became', async () => {
    const folder = await lab.folder();
    const { worker, process, client, session } = await open(['--watch', folder, '--interrupted-after', '2s']);
    const run = await startTraining(folder, 3);
    const steps = setInterval(() => void appendFile(join(run, 'logs', 'events.out.tfevents.1'), 'step'), 200);
    lab.onEnd(async () => clearInterval(steps));
    const name = 'good-mouse-v1 \\(run-[0-9a-f]{8}\\)';
    await process.waitForStderr(new RegExp(`${name} at .*: training`));
    const [training] = await list(client);
    expect(training).toMatchObject({ alias: 'good-mouse-v1', status: 'training', metrics: { last_epoch: 2 } });
    expect(training?.digest).toBeUndefined();
    const refused = await client.run(['client', 'pull-model', 'good-mouse-v1', '--json']);
    expect({ code: errorOf(refused).code, exitCode: refused.exitCode }).toEqual({ code: 'busy', exitCode: 9 });
    clearInterval(steps);
    await process.waitForStderr(new RegExp(`${name} at .*: interrupted`));
    const info = await worker.succeed(['client', 'model-info', 'good-mouse-v1']);
    expect(info.stdout).toContain(
      `cd ${run} && cd ../.. && sleap-nn train --config models/good-mouse-v1/training_config.yaml trainer_config.resume_ckpt_path=models/good-mouse-v1/last.ckpt`,
    );
    await declareRunners(worker, [
      {
        ...{ name: 'trainer', args: ['false'], allowUnsafeModels: true },
        resume: [PYTHON, '-c', 'import sys; print(sys.argv[1])', '{model}'],
      },
    ]);
    const there = await client.succeed(['client', 'model-info', 'good-mouse-v1', '--worker', session]);
    const [, resume = ''] = /resume there +model-rtc (track --resume good-mouse-v1) --worker /.exec(there.stdout) ?? [];
    const resumed = await client.succeed(resume.split(' '));
    expect(resumed.stderr).toContain(`\n${run}\n`);
    expect(resumed.stdout).toMatch(/^Job \w+ completed in .*; it wrote no results\.\n$/);
    const rows = Array.from({ length: 39 }, (_, i) => `${i + 3},0.2,0.1,0.001\n`);
    await appendFile(join(run, 'training_log.csv'), rows.join(''));
    await process.waitForStderr(/Found good-mouse-v1 \([0-9a-f]{8}\)/);
    const pulled = await pull(client, 'good-mouse-v1');
    expect(await digests(pulled.entry.localPath)).toEqual(await digests(run));
  }, 120_000);

  it('serves a hub cache in place, from the moment that a model is in it and after a restart', async () => {
    const cache = join(await lab.folder(), 'hub');
    const repository = join(cache, 'models--acme--tiny-llama');
    await mkdir(cache);
    const { url, worker, process, client } = await open(['--read-only-store', cache]);
    const commit = 'c0ffee'.padEnd(40, '0');
    const snapshot = join(repository, 'snapshots', commit);
    for (const folder of [snapshot, join(repository, 'blobs'), join(repository, 'refs')]) {
      await mkdir(folder, { recursive: true });
    }
    for (const name of await readdir(join(FIXTURES, 'tiny-llama'))) {
      await cp(join(FIXTURES, 'tiny-llama', name), join(repository, 'blobs', `blob-${name}`));
      await symlink(`../../blobs/blob-${name}`, join(snapshot, name));
    }
    await writeFile(join(repository, 'refs', 'main'), commit);
    const before = await treeDigest(cache);
    await process.waitForStderr(/Found tiny-llama \([0-9a-f]{8}\)/);
    const [model] = await list(client);
    expect(model).toMatchObject({ alias: 'tiny-llama', name: 'acme/tiny-llama', source: 'hub', status: 'completed' });
    await process.kill('SIGINT');
    const again = await startWorker(worker, url, ['--read-only-store', cache]);
    const [afterwards] = await list(client);
    expect(afterwards).toMatchObject({ id: model?.id, alias: 'tiny-llama', importedAt: model?.importedAt });
    const { entry } = await pull(client, 'tiny-llama');
    expect(entry.digest).toBe(model?.digest);
    expect(await treeDigest(cache)).toEqual(before);
    await rm(repository, { recursive: true });
    await writeFile(join(cache, 'version.txt'), '1');
    await again.process.waitForStderr(/tiny-llama \([0-9a-f]{8}\) is gone/);
    expect(await list(client)).toEqual([]);
  }, 120_000);

  it('says what it leaves out, and lists it on its own machine alone', async () => {
    const folder = await lab.folder();
    await symlink('nowhere', join(folder, 'gone.gguf'));
    await cp(join(FIXTURES, 'legacy-rat-2023'), join(folder, 'rat'), { recursive: true });
    const { worker, process, client, session } = await open(['--watch', folder]);
    await process.waitForStderr(/gone\.gguf: it is a link to nothing/);
    await process.waitForStderr(/gave 1 model; 1 left out: see model-rtc client list-models --problems/);
    const here = await worker.succeed(['client', 'list-models', '--problems', '--json']);
    const leftOut = [{ path: join(folder, 'gone.gguf'), kind: 'dangling_link' }];
    expect(here.json()).toMatchObject({ folders: [{ folder, models: 1, leftOut }], models: [] });
    // The session that the client has is that of this worker, whose key only its own machine has.
    const asked = ['worker', 'list-models', '--problems', '--json'];
    const remote = await client.run(asked);
    expect({ code: errorOf(remote).code, exitCode: remote.exitCode }).toEqual({ code: 'refused', exitCode: 8 });
    expect(`${remote.stdout}${remote.stderr}`).not.toContain('gone.gguf');
    const own = await worker.run([...asked, '--session', session]);
    expect(own.json()).toMatchObject({ folders: [{ leftOut }] });
  }, 120_000);

  it('refuses a folder that is none', async () => {
    const machine = await lab.machine('worker');
    const result = await machine.run(['worker', '--watch', 'nowhere', '--json']);
    expect(result.exitCode).toBe(2);
    expect(errorOf(result)).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('nowhere') });
  });
});
