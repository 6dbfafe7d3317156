import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeSessionToken, identityFromSeed } from '@model-rtc/protocol';
import type { Context } from '../../src/console/context.ts';
import { SavedWorkers } from '../../src/console/saved-workers.ts';
import { type SuggestedWorker, suggestedSession } from '../../src/console/suggested-session.ts';

function worker(seed: number): { readonly token: string; readonly key: string } {
  const { publicKey } = identityFromSeed(new Uint8Array(32).fill(seed));
  const token = encodeSessionToken({
    urls: ['ws://127.0.0.1:8787'],
    workerKey: publicKey,
    keyId: new Uint8Array(8).fill(1),
    secret: new Uint8Array(16).fill(2),
    scopes: ['read', 'write'],
    expiresAt: new Date('2100-01-01T00:00:00Z'),
  });
  return { token, key: Buffer.from(publicKey).toString('hex') };
}

const lab = worker(7);
const other = worker(8);
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'mrtc-client-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function suggested(wanted: SuggestedWorker, inEnvironment?: string): Promise<string> {
  const runtime = { env: { MODEL_RTC_SESSION: inEnvironment } } as unknown as Context['runtime'];
  return await suggestedSession({ home, runtime }, wanted);
}

describe('the session in a suggested command', () => {
  it('is what the person typed, in quotes where a shell needs them', async () => {
    expect(await suggested({ given: 'lab' })).toBe('lab');
    expect(await suggested({ given: '@my session.txt' })).toBe("'@my session.txt'");
    expect(await suggested({}, 'gpu')).toBe('gpu');
  });

  it('never repeats a token, but uses the name that the worker is saved under', async () => {
    expect(await suggested({ given: lab.token })).toBe('SESSION');
    (await SavedWorkers.open(home)).add('lab', lab.token);
    expect(await suggested({ given: lab.token })).toBe('lab');
    expect(await suggested({}, lab.token)).toBe('lab');
    expect(await suggested({ given: other.token })).toBe('SESSION');
  });

  it('leads to the worker that is wanted, whatever the environment names', async () => {
    (await SavedWorkers.open(home)).add('lab', lab.token);
    expect(await suggested({ workerKey: lab.key }, 'gpu')).toBe('lab');
    expect(await suggested({ workerKey: other.key }, 'gpu')).toBe('SESSION');
  });

  it('is the only saved worker where none was named', async () => {
    expect(await suggested({})).toBe('SESSION');
    const saved = await SavedWorkers.open(home);
    saved.add('lab', lab.token);
    expect(await suggested({})).toBe('lab');
    saved.add('gpu', other.token);
    expect(await suggested({})).toBe('SESSION');
  });

  it('is left open where the settings are damaged', async () => {
    writeFileSync(join(home, 'config.json'), '{');
    expect(await suggested({})).toBe('SESSION');
  });
});
