import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { encodeSessionToken, parseSessionToken } from '@model-rtc/protocol';
import { freePort } from '../support/free-port.ts';
import type { Machine } from '../support/machine.ts';
import {
  errorOf,
  FIXTURES,
  importModel,
  openScene,
  push,
  resultsOf,
  type Scene,
  startSignaling,
  startWorker,
} from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab);
  return opened;
};

/** Runs a command that must fail, and gives its exit code and error. */
async function failure(machine: Machine, args: string[], env: Record<string, string> = {}) {
  const result = await machine.run([...args, '--json'], { env });
  const { code, message } = errorOf(result);
  expect(resultsOf(result)).toEqual([]);
  return { exitCode: result.exitCode, code, message };
}

async function newSession(worker: Machine, ...args: string[]): Promise<{ token: string; keyId: string }> {
  const created = (await worker.succeed(['worker', 'sessions', 'create', ...args, '--json'])).json<{
    token: string;
    session: { keyId: string };
  }>();
  return { token: created.token, keyId: created.session.keyId };
}

describe('a command that cannot do what was asked', () => {
  it('exits 3 when the worker has no such model', async () => {
    const client = await (await scene()).client('unknown');
    expect(await failure(client, ['client', 'pull-model', 'no-such-model'])).toMatchObject({
      exitCode: 3,
      code: 'not_found',
    });
  });

  it('exits 4 when this machine has no such model', async () => {
    const client = await (await scene()).client('unknown-here');
    for (const args of [
      ['push-model', 'no-such-model'],
      ['model-info', 'no-such-model'],
      ['tag-model', 'no-such-model', 'x'],
    ]) {
      expect(await failure(client, ['client', ...args])).toMatchObject({ exitCode: 4, code: 'not_found_locally' });
    }
  });

  it('exits 2 for a session that was mistyped, cut off or is none', async () => {
    const { client, session } = await scene();
    const machine = await client('bad-token');
    const mistyped = `${session.slice(0, 30)}${session[30] === 'A' ? 'B' : 'A'}${session.slice(31)}`;
    for (const bad of [mistyped, session.slice(0, -5), 'mrtc1_', 'nobody', '@/nowhere']) {
      const failed = await failure(machine, ['worker', 'list-models', '--session', bad]);
      expect(failed).toMatchObject({ exitCode: 2, code: 'bad_argument' });
      expect(failed.message).not.toContain(session.slice(10, 40));
    }
  });

  it('exits 2 for arguments that make no sense, and says which', async () => {
    const client = await (await scene()).client('arguments');
    for (const args of [
      ['client', 'pul-model', 'x'],
      ['client', 'pull-model'],
      ['client', 'list-models', '--sort-by', 'colour'],
      ['client', 'list-models', '--colour'],
      ['nonsense'],
      [],
    ]) {
      const result = await client.run(args);
      expect({ args, exitCode: result.exitCode }).toEqual({ args, exitCode: 2 });
      expect(result.stderr).toMatch(/^model-rtc: .+--help/m);
    }
  });

  it('exits 2 when no session is given at all', async () => {
    const machine = await lab.machine('sessionless');
    expect(await failure(machine, ['worker', 'list-models'])).toMatchObject({ exitCode: 2, code: 'bad_argument' });
  });

  it('exits 8 for an expired session, by the worker’s clock even when the token says otherwise', async () => {
    const { worker, client } = await scene();
    const { token } = await newSession(worker, '--expires', '1s');
    const machine = await client('expired');
    const forged = encodeSessionToken({ ...parseSessionToken(token), expiresAt: undefined });
    // Waits for the state that is tested: the clock has passed the expiry.
    for (const expiresAt = parseSessionToken(token).expiresAt as Date; new Date() <= expiresAt; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const session of [token, forged]) {
      expect(await failure(machine, ['worker', 'list-models', '--session', session])).toMatchObject({
        exitCode: 8,
        code: 'token_expired',
      });
    }
  });

  it('exits 8 for a revoked session, also with the worker running on', async () => {
    const { worker, client } = await scene();
    const { token, keyId } = await newSession(worker, '--name', 'short-lived');
    const machine = await client('revoked');
    await machine.succeed(['worker', 'list-models', '--session', token]);
    await worker.succeed(['worker', 'sessions', 'revoke', keyId]);
    expect(await failure(machine, ['worker', 'list-models', '--session', token])).toMatchObject({
      exitCode: 8,
      code: 'token_revoked',
    });
  });

  it('exits 8 when the session lacks the scope, whatever the token claims', async () => {
    const { worker, client } = await scene();
    const { token } = await newSession(worker, '--scope', 'read');
    const forged = encodeSessionToken({ ...parseSessionToken(token), scopes: ['read', 'write', 'track'] });
    const machine = await client('read-only');
    await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'unwanted');
    for (const session of [token, forged]) {
      await machine.succeed(['worker', 'list-models', '--session', session]);
      const failed = await failure(machine, ['client', 'push-model', 'unwanted', '--worker', session]);
      expect(failed).toMatchObject({ exitCode: 8, code: 'scope_missing' });
      expect(failed.message).toContain('write');
    }
  });

  it('exits 8 for a session that this worker never issued', async () => {
    const { session, client } = await scene();
    const token = parseSessionToken(session);
    const machine = await client('stranger');
    const unknownKey = encodeSessionToken({ ...token, keyId: new Uint8Array(8).fill(9) });
    const wrongSecret = encodeSessionToken({ ...token, secret: new Uint8Array(16).fill(9) });
    for (const forged of [unknownKey, wrongSecret]) {
      expect(await failure(machine, ['worker', 'list-models', '--session', forged])).toMatchObject({
        exitCode: 8,
        code: 'refused',
      });
    }
  });

  it('exits 5 when there is no signaling server, and names it', async () => {
    const { session } = await scene();
    const machine = await lab.machine('serverless');
    const url = `ws://127.0.0.1:${await freePort()}`;
    const nowhere = encodeSessionToken({ ...parseSessionToken(session), urls: [url] });
    const failed = await failure(machine, ['worker', 'list-models', '--session', nowhere]);
    expect(failed).toMatchObject({ exitCode: 5, code: 'network' });
    expect(failed.message).toContain(url);
  });

  it('exits 5 when the server is there and the worker is not', async () => {
    const { url } = await startSignaling(lab);
    const machine = await lab.machine('offline-worker');
    const { process, session } = await startWorker(machine, url);
    await process.kill('SIGTERM');
    const client = await lab.machine('offline-client');
    expect(await failure(client, ['worker', 'list-models', '--session', session])).toMatchObject({
      exitCode: 5,
      code: 'worker_offline',
    });
  });

  it('exits 9 when a worker of this data folder runs already', async () => {
    const { worker, signalingUrl } = await scene();
    expect(await failure(worker, ['worker', '--signaling', signalingUrl])).toMatchObject({ exitCode: 9, code: 'busy' });
  });

  it('exits 8 when an alias is taken, and 2 where a flag could have settled it; both offer free ones', async () => {
    const { client } = await scene();
    const machine = await client('alias-taken');
    await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'taken');
    await push(machine, 'taken');
    const other = await importModel(machine, join(FIXTURES, 'tiny-gguf'), 'other');
    const here = await failure(machine, ['client', 'tag-model', other.id, 'taken']);
    expect(here).toMatchObject({ exitCode: 8, code: 'alias_taken' });
    const there = await failure(machine, ['client', 'push-model', 'other', '--alias', 'taken']);
    expect(there).toMatchObject({ exitCode: 2, code: 'bad_argument' });
    expect(there.message).toContain('--alias-conflict');
    for (const failed of [here, there]) expect(failed.message).toMatch(/taken-2/);
  });

  it('exits 2 when a folder holds no model, and lists what it looks for', async () => {
    const machine = await lab.machine('no-model');
    const folder = join(machine.folder, 'notes');
    await mkdir(folder);
    await writeFile(join(folder, 'readme.txt'), 'nothing here');
    const failed = await failure(machine, ['client', 'import-model', folder]);
    expect(failed).toMatchObject({ exitCode: 2, code: 'bad_argument' });
    for (const extension of ['.safetensors', '.ckpt', '.h5', '.gguf', '.onnx'])
      expect(failed.message).toContain(extension);
  });

  it('says what is missing when the originals of a linked model are gone', async () => {
    const { client } = await scene();
    const machine = await client('broken-link');
    const folder = join(machine.folder, 'model');
    await mkdir(folder);
    await writeFile(join(folder, 'weights.msgpack'), 'x'.repeat(1000));
    await importModel(machine, folder, 'linked');
    await rm(folder, { recursive: true });
    const listed = (await machine.succeed(['client', 'list-models', '--json'])).json<{
      models: { displayStatus: string }[];
    }>();
    expect(listed.models[0]?.displayStatus).toBe('broken_symlink');
    const failed = await failure(machine, ['client', 'push-model', 'linked']);
    expect(failed.exitCode).not.toBe(0);
    expect(failed.message).toContain(folder);
  });
});
