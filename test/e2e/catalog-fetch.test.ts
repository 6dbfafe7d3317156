import { rm } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { startHub } from '../support/hub/local-hub.ts';
import { SMALL_MODEL, smallModel } from '../support/hub/small-model.ts';
import { errorOf, startSignaling, startWorker } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();
const ID = 'mine/qwen';
const REPO = 'Qwen/Qwen2.5-0.5B';
const REGISTER = ['catalog', 'register', ID, '--repo', REPO, '--architecture', 'qwen2'] as const;

interface FetchedJson {
  readonly outcome: string;
  readonly model: {
    readonly id: string;
    readonly downloaded: boolean;
    readonly path: string;
    readonly metadata: { readonly registry_id: string; readonly repo: string };
  };
}

describe('catalog fetch', () => {
  it('takes a registered model from its repository, once its license is accepted, and keeps its id', async () => {
    const hub = await startHub();
    hub.addModel(REPO, { files: smallModel(), ...SMALL_MODEL });
    const machine = await lab.machine('laptop', { env: hub.env });
    await machine.succeed(REGISTER);
    const refused = await machine.run(['catalog', 'fetch', ID, '--json']);
    expect([refused.exitCode, errorOf(refused).message]).toEqual([2, expect.stringContaining('--accept-license')]);
    expect(hub.fileRequests).toBe(0);
    const fetched = (await machine.succeed(['catalog', 'fetch', ID, '--accept-license', '--json'])).json<FetchedJson>();
    expect(fetched).toMatchObject({
      outcome: 'fetched',
      model: { id: ID, downloaded: true, metadata: { repo: REPO } },
    });
    const before = hub.fileRequests;
    const again = (await machine.succeed(['catalog', 'fetch', ID, '--json'])).json<FetchedJson>();
    expect([again.outcome, hub.fileRequests]).toEqual(['already_there', before]);
    await machine.succeed(['catalog', 'unregister', ID, '--with-files', '--yes']);
    expect((await machine.succeed(['catalog', '--json'])).json<{ models: object[] }>().models).toEqual([]);
  }, 120_000);

  it('takes it from a worker that has it from there, without the hub', async () => {
    const hub = await startHub();
    hub.addModel(REPO, { files: smallModel(), ...SMALL_MODEL });
    const { url } = await startSignaling(lab);
    const worker = await lab.machine('worker', { env: hub.env });
    await worker.succeed(['client', 'import-model', `hf:${REPO}`, '--accept-license']);
    const { session } = await startWorker(worker, url);
    const requests = hub.fileRequests;
    const laptop = await lab.machine('laptop', { env: { HF_HUB_OFFLINE: '1' } });
    await laptop.succeed(REGISTER);
    const other = await laptop.run(['catalog', 'fetch', ID, '--json', '--accept-license']);
    expect(other.exitCode).not.toBe(0);
    const args = ['catalog', 'fetch', ID, '--worker', session, '--json'];
    const { model } = (await laptop.succeed(args)).json<FetchedJson>();
    expect(model).toMatchObject({ id: ID, downloaded: true });
    expect(hub.fileRequests).toBe(requests);
    // Without its plan it is what it is, and the plan of another machine finds it by its content.
    await laptop.succeed(['catalog', 'export', 'catalog.json']);
    await laptop.succeed(['catalog', 'unregister', ID]);
    const { models } = (await laptop.succeed(['catalog', '--json'])).json<{ models: { id: string }[] }>();
    expect(models.map(({ id }) => id)).toEqual([model.metadata.registry_id]);
    await rm(laptop.home, { recursive: true });
    await laptop.succeed(['catalog', 'import', 'catalog.json']);
    const byContent = (await laptop.succeed(args)).json<FetchedJson>();
    expect(byContent.model.metadata.registry_id).toBe(model.metadata.registry_id);
    const unknown = await laptop.run(['catalog', 'fetch', 'nobody/knows', '--json']);
    expect(unknown.exitCode).toBe(4);
  }, 120_000);
});

describe('catalog fetch --session', () => {
  it('has the worker fetch for itself, if its owner allows that and the license is accepted', async () => {
    const hub = await startHub();
    hub.addModel(REPO, { files: smallModel(), ...SMALL_MODEL });
    const { url } = await startSignaling(lab);
    const [open, closed] = [await lab.machine('open', { env: hub.env }), await lab.machine('closed', { env: hub.env })];
    const laptop = await lab.machine('laptop', { env: { HF_HUB_OFFLINE: '1' } });
    const { session: ofOpen } = await startWorker(open, url, ['--from-hub', 'auto']);
    const { session: ofClosed } = await startWorker(closed, url);
    for (const session of [ofOpen, ofClosed]) await laptop.succeed([...REGISTER, '--session', session]);
    const fetching = (session: string, ...more: string[]) =>
      laptop.run(['catalog', 'fetch', ID, '--session', session, '--json', ...more]);
    const refused = [await fetching(ofClosed, '--accept-license'), await fetching(ofOpen)];
    expect(refused.map(({ exitCode }) => exitCode)).toEqual([8, 8]);
    expect(refused.map((result) => errorOf(result).message)).toEqual([
      expect.stringContaining('--from-hub auto'),
      expect.stringContaining('license'),
    ]);
    expect(hub.fileRequests).toBe(0);
    const fetched = await fetching(ofOpen, '--accept-license');
    expect(fetched.json<FetchedJson>()).toMatchObject({ outcome: 'fetched', model: { id: ID, downloaded: true } });
    const [home, there] = [['catalog'], ['catalog', '--session', ofOpen]].map((args, i) =>
      (i === 0 ? open : laptop).succeed(args),
    );
    expect((await there)?.stdout).toBe((await home)?.stdout);
    // Registered over a session, and no session deletes the model.
    await laptop.succeed(['catalog', 'unregister', ID, '--session', ofOpen]);
    expect((await open.succeed(['catalog', '--json'])).json<{ models: object[] }>().models).toHaveLength(1);
  }, 120_000);
});
