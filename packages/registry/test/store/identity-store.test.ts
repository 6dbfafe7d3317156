import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadIdentity } from '../../src/index.ts';

let keysFolder: string;
beforeEach(async () => {
  keysFolder = join(mkdtempSync(join(tmpdir(), 'model-rtc-identity-')), 'keys');
  await loadIdentity(keysFolder);
});
afterEach(() => rmSync(keysFolder, { recursive: true, force: true }));

describe('loadIdentity', () => {
  it('gives the same key each time, with mode 0600, and also to many first runs at once', async () => {
    const folder = join(keysFolder, 'fresh');
    const identities = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(folder)));
    const keys = new Set(identities.map(({ publicKey }) => Buffer.from(publicKey).toString('hex')));
    expect(keys.size).toBe(1);
    expect(statSync(join(folder, 'identity.key')).mode & 0o777).toBe(0o600);
  });

  it('takes other people’s permissions off a key that had them', async () => {
    const path = join(keysFolder, 'identity.key');
    chmodSync(path, 0o644);
    await loadIdentity(keysFolder);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('refuses a damaged key instead of making another', async () => {
    const path = join(keysFolder, 'identity.key');
    writeFileSync(path, 'not a key\n');
    await expect(loadIdentity(keysFolder)).rejects.toMatchObject({ code: 'storage' });
    expect(readFileSync(path, 'utf8')).toBe('not a key\n');
  });
});
