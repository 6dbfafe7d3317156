import { access, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseSessionToken, silentLog } from '@model-rtc/protocol';
import { type RunningWorker, startWorker, type WorkerOptions } from '../src/index.ts';
import { authorize } from '../src/sessions/authorize.ts';
import { afterTest, failure, openTestRegistry, temporaryFolder } from './support/registry.ts';

/** The pure TypeScript engine: the native one is not for jest's workers. */
async function start(home: string, more: Partial<WorkerOptions> = {}): Promise<RunningWorker> {
  const registry = await openTestRegistry(home);
  const port = await freePort();
  const options = { registry, name: 'gpu-box', version: '1', engine: 'werift' as const, preferredPort: port, ...more };
  const worker = await startWorker(options);
  afterTest(() => worker.close());
  return worker;
}

async function occupy(port: number): Promise<{ port: number; free(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '::', resolve));
  const free = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port: (server.address() as { port: number }).port, free };
}

async function freePort(): Promise<number> {
  const taken = await occupy(0);
  await taken.free();
  return taken.port;
}

describe('startWorker', () => {
  it('is online at a server of its own, and has the same session and port after a restart', async () => {
    const home = await temporaryFolder();
    const first = await start(home);
    await first.online();
    expect(parseSessionToken(first.token).urls).toContain(`ws://127.0.0.1:${first.embeddedPort}`);
    await first.close();
    const second = await start(home, { preferredPort: undefined });
    await second.online();
    expect({ token: second.token, port: second.embeddedPort }).toEqual({
      token: first.token,
      port: first.embeddedPort,
    });
  });

  it('takes a free port when its own is taken, and warns that old sessions do not lead to it', async () => {
    const home = await temporaryFolder();
    const first = await start(home);
    await first.close();
    const taken = await occupy(first.embeddedPort as number);
    afterTest(taken.free);
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
    const second = await start(home, { preferredPort: 0, log });
    expect(second.embeddedPort).not.toBe(first.embeddedPort);
    expect(warnings).toEqual([expect.stringContaining(`port ${first.embeddedPort}`)]);
  });

  it('takes the port that is asked for rather than the one of last time', async () => {
    const home = await temporaryFolder();
    await (await start(home)).close();
    const port = await freePort();
    expect((await start(home, { preferredPort: port })).embeddedPort).toBe(port);
  });

  it('refuses to run twice on one registry, and runs again when the first has ended', async () => {
    const home = await temporaryFolder();
    const first = await start(home);
    expect(await failure(start(home))).toMatchObject({ code: 'busy', exitCode: 9 });
    await Promise.all([first.close(), first.close()]);
    await (await start(home)).online();
  });

  it('leaves nothing behind when it cannot start', async () => {
    const home = await temporaryFolder();
    const error = await failure(start(home, { signalingUrls: ['http://no.signaling'] }));
    expect(error).toMatchObject({ code: 'bad_argument' });
    await (await start(home)).online();
  });
});

describe('a worker whose port for direct connections is taken', () => {
  it('says so before it has told anyone of itself', async () => {
    const home = await temporaryFolder();
    const taken = await occupy(0);
    afterTest(taken.free);
    const error = await failure(start(home, { direct: { port: taken.port } }));
    expect(error).toMatchObject({ code: 'network', message: expect.stringContaining(`${taken.port}`) });
    await expect(access(join(home, 'keys', 'sessions.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('authorize', () => {
  it('tells a visitor of a session list that cannot be read without saying where it is', async () => {
    const home = await temporaryFolder();
    const { sessions, keyId } = await start(home);
    const authorization = authorize(sessions, keyId);
    expect(authorization).toMatchObject({ authority: { keyId, scopes: ['read', 'write', 'track'] } });
    expect(authorize(sessions, '0'.repeat(16))).toBeUndefined();
    await writeFile(join(home, 'keys', 'sessions.json'), 'damaged');
    expect(authorize(sessions, keyId)).toMatchObject({ refuse: { code: 'storage' } });
    const { check } = (authorization as { authority: { check(): void } }).authority;
    expect(check).toThrow(expect.objectContaining({ code: 'storage', message: expect.not.stringContaining(home) }));
  });

  it('refuses a session while it is open once it is revoked', async () => {
    const { sessions, keyId } = await start(await temporaryFolder());
    const { authority } = authorize(sessions, keyId) as { authority: { check(): void } };
    expect(authority.check()).toBeUndefined();
    await sessions.revoke(keyId);
    expect(() => authority.check()).toThrow(expect.objectContaining({ code: 'token_revoked' }));
  });
});
