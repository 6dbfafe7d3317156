import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeSessionToken, identityFromSeed } from '@model-rtc/protocol';
import { inviteText } from '../../src/commands/mesh/invite-text.ts';
import { SavedWorkers } from '../../src/console/saved-workers.ts';
import { parseSession, requireBest } from '../../src/console/session-argument.ts';

const TOKEN = encodeSessionToken({
  urls: ['ws://127.0.0.1:8787'],
  workerKey: identityFromSeed(new Uint8Array(32).fill(7)).publicKey,
  keyId: new Uint8Array(8).fill(1),
  secret: new Uint8Array(16).fill(2),
  scopes: ['read', 'write'],
  expiresAt: new Date('2100-01-01T00:00:00Z'),
});

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'mrtc-client-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('parseSession', () => {
  it('takes a token, a file with one, and a saved name', async () => {
    const saved = await SavedWorkers.open(home);
    saved.add('lab', TOKEN);
    const file = join(home, 'session.txt');
    writeFileSync(file, `${TOKEN}\n`);
    const [direct, fromFile, byName] = await Promise.all(
      [TOKEN, `@${file}`, 'lab'].map((text) => parseSession(text, home)),
    );
    expect(direct?.urls).toEqual(['ws://127.0.0.1:8787']);
    expect(fromFile).toEqual(direct);
    expect(byName).toEqual(direct);
  });

  it.each<[string, (token: string) => Buffer]>([
    ['UTF-8 with a byte order mark', (token) => Buffer.from(`\ufeff${token}\r\n`)],
    ['UTF-16', (token) => Buffer.from(`\ufeff${token}\r\n`, 'utf16le')],
    ['UTF-16, big end first', (token) => Buffer.from(`\ufeff${token}\r\n`, 'utf16le').swap16()],
    ['quotes', (token) => Buffer.from(`"${token}"\n`)],
  ])('takes a token from a file in %s', async (_how, bytesOf) => {
    const file = join(home, 'session.txt');
    writeFileSync(file, bytesOf(TOKEN));
    expect((await parseSession(`@${file}`, home)).urls).toEqual(['ws://127.0.0.1:8787']);
  });

  it.each([`"${TOKEN}"`, `'${TOKEN}'`, `<${TOKEN}>`, `\u201c${TOKEN}\u201d`, `\ufeff${TOKEN}`])(
    'takes a token with what came along when it was copied: %#',
    async (text) => {
      expect((await parseSession(text, home)).urls).toEqual(['ws://127.0.0.1:8787']);
    },
  );

  it('reads no further than a token is long', async () => {
    await expect(parseSession('@/dev/zero', home)).rejects.toMatchObject({ code: 'bad_argument' });
  });

  it('reads an invite from a file in the same way', async () => {
    const file = join(home, 'invite.txt');
    writeFileSync(file, Buffer.from('\ufeffmrtcmesh1_abc\r\n', 'utf16le'));
    expect((await inviteText(`@${file}`)).trim()).toMatch(/mrtcmesh1_abc$/);
    for (const path of ['/dev/zero', home, join(home, 'gone')])
      await expect(inviteText(`@${path}`)).rejects.toMatchObject({ code: 'bad_argument' });
    writeFileSync(file, 'm'.repeat(17_000));
    await expect(inviteText(`@${file}`)).rejects.toThrow('too long to be an invite file');
  });

  it('refuses everything else as a bad argument', async () => {
    for (const text of [
      'unknown',
      '',
      '@/nowhere/file',
      TOKEN.slice(0, -3),
      `${TOKEN}x`,
      'mrtc1_',
      'mrtc9_abcd',
      'constructor',
      '__proto__',
    ]) {
      await expect(parseSession(text, home)).rejects.toMatchObject({ code: 'bad_argument' });
    }
  });

  it('never repeats a token in its message', async () => {
    const broken = `${TOKEN.slice(0, -4)}AAAA`;
    const error = await parseSession(broken, home).catch((thrown: Error) => thrown);
    expect((error as Error).message).not.toContain(broken.slice(10, 40));
    for (const text of [`@${TOKEN}`, TOKEN.slice(8, 70), TOKEN.slice(-40)]) {
      const refused = (await parseSession(text, home).catch((thrown: Error) => thrown)) as Error;
      expect(refused).toMatchObject({ code: 'bad_argument' });
      expect(`${refused.message} ${refused.cause}`).not.toContain(text.slice(8, 30));
    }
  });
});

describe('SavedWorkers', () => {
  it('keeps names over a restart and lists them without their secrets', async () => {
    (await SavedWorkers.open(home)).add('lab', TOKEN);
    const listed = (await SavedWorkers.open(home)).list();
    expect(listed).toMatchObject([{ name: 'lab', scopes: ['read', 'write'], urls: ['ws://127.0.0.1:8787'] }]);
    expect(JSON.stringify(listed)).not.toContain(TOKEN.slice(6, 60));
  });

  it('replaces a name that is added again, and forgets one that is removed', async () => {
    const saved = await SavedWorkers.open(home);
    saved.add('lab', TOKEN);
    saved.add('lab', TOKEN);
    expect(saved.list()).toMatchObject([{ name: 'lab', workerKey: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    saved.remove('lab');
    expect(saved.list()).toEqual([]);
    expect(() => saved.remove('lab')).toThrow(expect.objectContaining({ code: 'not_found_locally' }));
  });

  it('refuses a name that could not be told from something else, and a token that is none', async () => {
    const saved = await SavedWorkers.open(home);
    for (const name of ['', '@x', 'a b', 'all', 'deadbeef', 'mrtc1_lab'])
      expect(() => saved.add(name, TOKEN)).toThrow(expect.objectContaining({ code: 'bad_argument' }));
    expect(() => saved.add('lab', 'mrtc1_nonsense')).toThrow(expect.objectContaining({ code: 'bad_argument' }));
  });

  it('says so when the settings are damaged, and leaves them as they are', async () => {
    writeFileSync(join(home, 'config.json'), `{"workers": {"lab": "${TOKEN}`);
    const error = await SavedWorkers.open(home).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'storage' });
    expect(`${(error as Error).cause}`).not.toContain(TOKEN.slice(6, 12));
    writeFileSync(join(home, 'config.json'), '{"workers": 5}');
    const damaged = await SavedWorkers.open(home);
    expect(() => damaged.list()).toThrow(expect.objectContaining({ code: 'storage' }));
  });
});

describe('conditions on a node', () => {
  it.each([['mesh:best'], [' mesh:best '], ['mesh:lab/best'], ['lab', 'mesh:best']])('go with %j', (...sessions) => {
    requireBest({ where: 'gpu_memory >= 16', best: 'load' }, sessions);
  });

  it.each([['mesh:gpu-3'], ['lab'], ['mesh:best-1'], ['mesh:a/b/best'], [undefined], []])(
    'are refused with %j, where they would mean nothing',
    (...sessions) => {
      for (const wanted of [{ where: 'gpu_memory >= 16' }, { best: 'load' }])
        expect(() => requireBest(wanted, sessions)).toThrow(expect.objectContaining({ code: 'bad_argument' }));
      requireBest({}, sessions);
    },
  );
});
