import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseSessionToken } from '@model-rtc/protocol';
import { loadIdentity } from '@model-rtc/registry';
import { SessionStore } from '../src/sessions/session-store.ts';

const DAY_MS = 24 * 3600 * 1000;

let keysFolder: string;
let now: Date;
let store: SessionStore;

beforeEach(async () => {
  keysFolder = mkdtempSync(join(tmpdir(), 'mrtc-sessions-'));
  now = new Date('2026-01-01T00:00:00Z');
  const identity = await loadIdentity(keysFolder);
  store = new SessionStore({ keysFolder, workerKey: identity.publicKey, now: () => now });
});
afterEach(() => rmSync(keysFolder, { recursive: true, force: true }));

/** Another process's view of the same files. */
async function reopened(): Promise<SessionStore> {
  const identity = await loadIdentity(keysFolder);
  return new SessionStore({ keysFolder, workerKey: identity.publicKey, now: () => now });
}

describe('SessionStore', () => {
  it('gives the same default session after a restart', async () => {
    const first = await store.defaultSession();
    const second = await (await reopened()).defaultSession();
    expect(second).toEqual(first);
    expect(store.token(first, ['ws://a:1'])).toBe(store.token(second, ['ws://a:1']));
  });

  it('makes a new default session when the old one expired or was revoked', async () => {
    const first = await store.defaultSession();
    now = new Date(now.getTime() + 31 * DAY_MS);
    const second = await store.defaultSession();
    expect(second.keyId).not.toBe(first.keyId);
    await store.revoke('default');
    expect((await store.defaultSession()).keyId).not.toBe(second.keyId);
  });

  it('puts what the session allows, its end and the addresses into the token', async () => {
    const expiresAt = new Date('2026-02-01T00:00:00Z');
    const { record } = await store.create({ name: 'reviewers', scopes: ['read'], expiresAt });
    const token = parseSessionToken(store.token(record, ['ws://10.0.0.1:8787', 'wss://signal.example']));
    expect(token.scopes).toEqual(['read']);
    expect(token.expiresAt).toEqual(expiresAt);
    expect(token.urls).toEqual(['ws://10.0.0.1:8787', 'wss://signal.example']);
    expect(Buffer.from(token.keyId).toString('hex')).toBe(record.keyId);
    expect(Buffer.from(token.secret).toString('hex')).toBe(record.secret);
  });

  it('ends a session in the very second that its token says', async () => {
    const { record } = await store.create({ scopes: ['read'], expiresAt: new Date('2026-02-01T00:00:00.250Z') });
    expect(parseSessionToken(store.token(record, ['ws://10.0.0.1:8787'])).expiresAt?.toISOString()).toBe(
      record.expiresAt,
    );
  });

  it('refuses a revoked session at once, even when another process revoked it', async () => {
    const { record } = await store.create({ scopes: ['read'] });
    expect(store.assertUsable(record.keyId).keyId).toBe(record.keyId);
    await (await reopened()).revoke(record.keyId);
    expect(() => store.assertUsable(record.keyId)).toThrow(expect.objectContaining({ code: 'token_revoked' }));
  });

  it('refuses an expired session and one that was never issued', async () => {
    const { record } = await store.create({ scopes: ['read'], expiresAt: new Date(now.getTime() + DAY_MS) });
    store.assertUsable(record.keyId);
    now = new Date(now.getTime() + DAY_MS);
    expect(() => store.assertUsable(record.keyId)).toThrow(expect.objectContaining({ code: 'token_expired' }));
    expect(() => store.assertUsable('0123456789abcdef')).toThrow(expect.objectContaining({ code: 'refused' }));
  });

  it('takes a name once while its session is active, and again when it was revoked', async () => {
    await store.create({ name: 'x', scopes: ['read'] });
    await expect(store.create({ name: 'x', scopes: ['read'] })).rejects.toMatchObject({ code: 'bad_argument' });
    await store.revoke('x');
    await store.create({ name: 'x', scopes: ['write'] });
    expect(store.list().map(({ name, status }) => [name, status])).toEqual([
      ['x', 'revoked'],
      ['x', 'active'],
    ]);
  });

  it('refuses what could not be read again, and keeps the sessions that there are', async () => {
    await store.create({ name: 'x', scopes: ['read'] });
    const wrong = [
      { name: 'n'.repeat(65), scopes: ['read' as const] },
      { name: '', scopes: ['read' as const] },
      { name: 'y', scopes: [] },
      { name: 'z', scopes: ['read' as const], expiresAt: new Date(Number.NaN) },
    ];
    for (const options of wrong) await expect(store.create(options)).rejects.toMatchObject({ code: 'bad_argument' });
    expect((await reopened()).list().map(({ name }) => name)).toEqual(['x']);
  });

  it('quotes nothing of a damaged file, in which secrets are, in an error or its cause', async () => {
    const { record } = await store.create({ scopes: ['read'] });
    writeFileSync(join(keysFolder, 'sessions.json'), `{"secret":"${record.secret}`);
    const error = await store.create({ scopes: ['read'] }).catch((thrown: Error) => thrown);
    const { message, cause } = error as Error & { cause: Error };
    expect(`${message} ${cause.message}`).not.toContain(record.secret.slice(0, 8));
  });

  it('says that there is nothing to revoke under an unknown name', async () => {
    await expect(store.revoke('nobody')).rejects.toMatchObject({ code: 'not_found_locally' });
  });

  it('loses none of the sessions that are created at once', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, reopened));
    await Promise.all(stores.map((one) => one.create({ scopes: ['read'] })));
    expect(store.list()).toHaveLength(8);
  });

  it('lists no secret, and keeps its file to its owner', async () => {
    const { record } = await store.create({ scopes: ['read'] });
    expect(JSON.stringify(store.list())).not.toContain(record.secret);
    expect(statSync(join(keysFolder, 'sessions.json')).mode & 0o777).toBe(0o600);
  });

  it('refuses to go on from a damaged file, and leaves it as it is', async () => {
    const path = join(keysFolder, 'sessions.json');
    for (const damaged of ['{"version":1', '{"version":2,"sessions":[]}', '[]', '']) {
      writeFileSync(path, damaged);
      const opened = await reopened();
      expect(() => opened.list()).toThrow(expect.objectContaining({ code: 'storage' }));
      await expect(opened.defaultSession()).rejects.toMatchObject({ code: 'storage' });
      expect(readFileSync(path, 'utf8')).toBe(damaged);
    }
  });

  it('needs an address to make a token', async () => {
    const { record } = await store.create({ scopes: ['read'] });
    expect(() => store.token(record)).toThrow(expect.objectContaining({ code: 'bad_argument' }));
    await store.rememberAddresses(['ws://10.0.0.1:8787'], 8787);
    expect(parseSessionToken(store.token(record)).urls).toEqual(['ws://10.0.0.1:8787']);
    expect((await reopened()).embeddedPort()).toBe(8787);
  });
});
