import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeRandomFile } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, importModel, openScene, pull, startWorker } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const SIZE = 60_000_000;
/** Slow enough to be caught in the middle. */
const SLOWED = ['--limit', '5MB'];
const lab = useLab();

interface TransferJson {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly doneBytes: number;
  readonly bytesPerSecond: number;
}

async function makeModel(size = SIZE): Promise<string> {
  const folder = join(await lab.folder(), 'model');
  await makeRandomFile(join(folder, 'weights.msgpack'), size);
  return folder;
}

async function transfers(machine: Machine, ...args: string[]): Promise<readonly TransferJson[]> {
  const { json } = await machine.succeed(['transfers', 'list', '--json', ...args]);
  return json<{ transfers: TransferJson[] }>().transfers;
}

/** The transfer of a model once some of it has moved. */
async function moving(machine: Machine, name: string): Promise<TransferJson> {
  for (;;) {
    const found = (await transfers(machine)).find((one) => one.name === name && one.doneBytes > 0);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until the rates of mouse and rat are as wanted. */
async function rates(machine: Machine, areRight: (mouse: number, rat: number) => boolean): Promise<void> {
  for (;;) {
    const now = await transfers(machine);
    const rateOf = (name: string): number => now.find((one) => one.name === name)?.bytesPerSecond ?? 0;
    if (now.length < 2) throw new Error('One of the two pulls ended too early.');
    if (areRight(rateOf('mouse'), rateOf('rat'))) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('model-rtc transfers', () => {
  it('cancels one of two pulls of other processes, and what it had fetched is kept', async () => {
    const scene = await openScene(lab);
    await importModel(scene.worker, await makeModel(), 'mouse');
    await importModel(scene.worker, await makeModel(), 'rat');
    const client = await scene.client('client');
    const mouse = client.start(['client', 'pull-model', 'mouse', '--json', '--limit', '15MB']);
    const rat = client.start(['client', 'pull-model', 'rat', '--json', ...SLOWED]);
    await moving(client, 'mouse');
    const { id } = await moving(client, 'rat');
    const cancelled = await client.succeed(['transfers', 'cancel', id.slice(0, 9), '--json']);
    expect(cancelled.json()).toMatchObject({
      outcome: 'cancelled',
      transfer: { id, kind: 'pull', state: 'cancelled', reason: 'user_cancelled' },
    });
    const ended = await rat.exited;
    expect({ exitCode: ended.exitCode, ...errorOf(ended) }).toMatchObject({
      exitCode: 130,
      code: 'cancelled',
      message: expect.stringMatching(
        /^Another process cancelled this transfer: .*run the same command again to resume/,
      ),
    });
    expect((await mouse.exited).exitCode).toBe(0);
    expect(await transfers(client)).toEqual([]);
    const states = (await transfers(client, '--all')).map(({ name, state }) => `${name} ${state}`);
    expect(states.sort()).toEqual(['mouse completed', 'rat cancelled']);
    expect((await pull(client, 'rat')).resumedBytes).toBeGreaterThan(0);
  }, 180_000);

  it('lets a critical pull of another process go first, and again when the other one becomes critical', async () => {
    const scene = await openScene(lab);
    await importModel(scene.worker, await makeModel(400_000_000), 'mouse');
    await importModel(scene.worker, await makeModel(400_000_000), 'rat');
    await scene.worker.succeed(['settings', 'set', 'limit.up', '8MB']);
    await scene.workerProcess.kill();
    await startWorker(scene.worker, scene.signalingUrl);
    const client = await scene.client('client');
    const mouse = client.start(['client', 'pull-model', 'mouse', '--json', '--priority', 'critical']);
    await moving(client, 'mouse');
    const rat = client.start(['client', 'pull-model', 'rat', '--json']);
    const { id } = await moving(client, 'rat');
    // The worker would give both the same.
    await rates(client, (ofMouse, ofRat) => ofRat > 0 && ofMouse > 3 * ofRat);
    await client.succeed(['transfers', 'priority', (await moving(client, 'mouse')).id, 'low']);
    await client.succeed(['transfers', 'priority', id, 'high']);
    await rates(client, (ofMouse, ofRat) => ofMouse > 0 && ofRat > 3 * ofMouse);
    const { decisions } = (await client.succeed(['mesh', 'audit', '--json'])).json<{ decisions: { what: string }[] }>();
    expect(decisions.map(({ what }) => what)).toEqual([
      'changed the priority of the pull of rat from normal to high',
      'changed the priority of the pull of mouse from critical to low',
    ]);
    for (const running of [mouse, rat]) await running.kill();
  }, 180_000);

  it('cancels at the worker what it receives, and tells the client who did', async () => {
    const scene = await openScene(lab);
    const client = await scene.client('client');
    await importModel(client, await makeModel(), 'mouse');
    const running = client.start(['client', 'push-model', 'mouse', '--json', ...SLOWED]);
    const { id, kind } = await moving(scene.worker, 'mouse');
    expect(kind).toBe('receive');
    await scene.worker.succeed(['transfers', 'cancel', id]);
    const ended = await running.exited;
    expect({ exitCode: ended.exitCode, ...errorOf(ended) }).toMatchObject({
      exitCode: 130,
      message: expect.stringContaining("The worker's owner cancelled this transfer"),
    });
    expect(await transfers(client, '--all')).toMatchObject([{ kind: 'push', state: 'cancelled' }]);
    const again = await client.succeed(['client', 'push-model', 'mouse', '--json']);
    expect(again.json<{ resumedBytes: number }>().resumedBytes).toBeGreaterThan(0);
  }, 180_000);

  it('says failed of a pull whose process was killed', async () => {
    const scene = await openScene(lab);
    await importModel(scene.worker, await makeModel(), 'mouse');
    const client = await scene.client('client');
    const running = client.start(['client', 'pull-model', 'mouse', ...SLOWED]);
    const { id } = await moving(client, 'mouse');
    await running.kill('SIGKILL');
    expect(await transfers(client)).toEqual([]);
    const { json } = await client.succeed(['transfers', 'show', id, '--json']);
    expect(json()).toMatchObject({ transfer: { id, state: 'failed', reason: 'process_ended' } });
    expect(await readdir(join(client.home, 'transfers'))).toEqual([`${id}.json`]);
  }, 180_000);
});
