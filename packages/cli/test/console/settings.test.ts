import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { SavedWorkers } from '../../src/console/saved-workers.ts';
import { Settings, settingText } from '../../src/console/settings.ts';

const folders: string[] = [];

async function home(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'settings-'));
  folders.push(folder);
  return folder;
}

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

describe('the settings', () => {
  it('are not set at first, are kept once they are, and can be forgotten', async () => {
    const folder = await home();
    const first = await Settings.open(folder);
    expect(first.list().map(({ value }) => value)).toEqual([undefined, undefined]);
    first.set('limit.up', ' 50Mbit ');
    const second = await Settings.open(folder);
    expect(second.get('limit.up')).toMatchObject({ value: '50Mbit', bytesPerSecond: 6_250_000 });
    expect(settingText(second.get('limit.up'))).toBe('50Mbit (6.2 MB/s)');
    second.unset('limit.up');
    expect(first.get('limit.up').value).toBeUndefined();
    expect(settingText(first.get('limit.up'))).toBe('no limit');
  });

  it('are in one file with the saved workers, which only its owner can read, and leave those alone', async () => {
    const folder = await home();
    const workers = await SavedWorkers.open(folder);
    (await Settings.open(folder)).set('limit.down', '1.5MiB');
    expect(workers.list()).toEqual([]);
    const file = join(folder, 'config.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ settings: { limit: { down: '1.5MiB' } } });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('refuse nonsense, and keep what was set before', async () => {
    const settings = await Settings.open(await home());
    settings.set('limit.up', '20MB');
    expect(() => settings.set('limit.up', 'fast')).toThrow(ModelRtcError);
    expect(settings.get('limit.up').value).toBe('20MB');
  });

  it('say which file is damaged, without quoting it, and which value in it is nonsense', async () => {
    const folder = await home();
    await writeFile(join(folder, 'config.json'), '{"settings": mrtc1_secret');
    const failure = await Settings.open(folder).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'storage', message: expect.stringContaining(folder) });
    expect(String((failure as Error).cause)).not.toContain('secret');
    await writeFile(join(folder, 'config.json'), '{"settings": {"limit": {"up": {"much": true}}}}');
    const settings = await Settings.open(folder);
    expect(() => settings.get('limit.up')).toThrow('limit.up');
  });

  it.each([
    ['a value that is no rate', { limit: { up: 'abc', down: '20MB' } }, '20MB'],
    ['a number without its unit', { limit: { up: 5, down: '20MB' } }, '20MB'],
    ['a limit that is no object', { limit: '5MB' }, undefined],
    ['a limit that is a list', { limit: ['5MB'] }, undefined],
    ['settings that are no object', 'fast', undefined],
  ])('refuse %s with the file and the command that mends it', async (_, stored, down) => {
    const folder = await home();
    const file = join(folder, 'config.json');
    await writeFile(file, JSON.stringify({ settings: stored, workers: {} }));
    const settings = await Settings.open(folder);
    for (const part of [file, 'model-rtc settings unset limit.up']) expect(() => settings.list()).toThrow(part);
    settings.unset('limit.up');
    expect(settings.list().map(({ value }) => value)).toEqual([undefined, down]);
    await writeFile(file, JSON.stringify({ settings: stored, workers: {} }));
    expect(settings.set('limit.up', '1MB').bytesPerSecond).toBe(1_000_000);
    expect(JSON.parse(await readFile(file, 'utf8'))).toHaveProperty('workers');
  });
});
