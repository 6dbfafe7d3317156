import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { SavedWorkers } from '../../src/console/saved-workers.ts';
import {
  dataCacheLimits,
  fetchesPushesFromHub,
  hubFamilies,
  jobsLimits,
  Settings,
  settingText,
} from '../../src/console/settings.ts';

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
    expect(first.list().filter(({ value }) => value !== undefined)).toEqual([]);
    first.set('limit.up', ' 50Mbit ');
    const second = await Settings.open(folder);
    expect(second.get('limit.up')).toMatchObject({ value: '50Mbit', unit: 'bytesPerSecond', amount: 6_250_000 });
    expect(settingText(second.get('limit.up'))).toBe('50Mbit (6.2 MB/s)');
    second.unset('limit.up');
    expect(first.get('limit.up').value).toBeUndefined();
    expect(settingText(first.get('limit.up'))).toBe('no limit');
  });

  it('say how much data of jobs is kept, and for how long, as far as that is set', async () => {
    const folder = await home();
    expect(await dataCacheLimits(folder)).toEqual({});
    const settings = await Settings.open(folder);
    expect(settingText(settings.get('data-cache.session-size'))).toBe('half of data-cache.size');
    expect(settingText(settings.set('data-cache.size', '1.5TB'))).toBe('1.5TB (1.5 TB)');
    expect(settingText(settings.set('data-cache.age', '12h'))).toBe('12h (12 hours)');
    expect(await dataCacheLimits(folder)).toEqual({ maxBytes: 1.5e12, maxAgeMs: 12 * 60 * 60 * 1000 });
    for (const size of ['100', '100Mbit', '1kB', '9999TB', '-1GB', '1GB/s']) {
      expect(() => settings.set('data-cache.size', size)).toThrow(/is not a size\. data-cache\.size takes bytes/);
    }
    expect(() => settings.set('data-cache.age', '30')).toThrow('is not a length of time');
  });

  it('say which families of models a hub may give, where "default" stands for the built-in ones', async () => {
    const folder = await home();
    expect(await hubFamilies(folder, ['llama'])).toEqual(['llama']);
    const settings = await Settings.open(folder);
    expect(settingText(settings.set('hub.architectures', ' default, my-model '))).toBe('default, my-model');
    expect(settings.get('hub.architectures')).toMatchObject({ unit: 'list', list: ['default', 'my-model'] });
    expect(await hubFamilies(folder, ['llama', 'qwen2'])).toEqual(['llama', 'qwen2', 'my-model']);
    for (const bad of ['', 'a,,b', 'a b', '../x', 'a'.repeat(65)])
      expect(() => settings.set('hub.architectures', bad)).toThrow('is not a list of families');
  });

  it('say whether pushed models may come from a hub', async () => {
    const folder = await home();
    expect(await fetchesPushesFromHub(folder)).toBe(false);
    const settings = await Settings.open(folder);
    expect(settingText(settings.get('hub.pushes'))).toBe('off');
    expect(settingText(settings.set('hub.pushes', ' auto '))).toBe('auto');
    expect(await fetchesPushesFromHub(folder)).toBe(true);
    settings.set('hub.pushes', 'off');
    expect(await fetchesPushesFromHub(folder)).toBe(false);
    for (const bad of ['', 'on', 'auto,off'])
      expect(() => settings.set('hub.pushes', bad)).toThrow('Pass auto or off.');
  });

  it('say how many jobs run at once, for how long, and how much they leave, as far as that is set', async () => {
    const folder = await home();
    expect(await jobsLimits(folder)).toEqual({});
    const settings = await Settings.open(folder);
    expect(settingText(settings.get('jobs.at-once'))).toBe('8');
    expect(settingText(settings.set('jobs.at-once', '2'))).toBe('2 (2)');
    settings.set('jobs.session-at-once', '1');
    settings.set('jobs.session-time', '12h');
    settings.set('jobs.session-output', '1GB');
    expect(await jobsLimits(folder)).toEqual({
      ...{ maxRunning: 2, maxRunningPerOwner: 1, maxKeptOutputBytesPerOwner: 1e9 },
      maxRunMsPerOwnerAndDay: 12 * 60 * 60 * 1000,
    });
    for (const count of ['0', '-1', '1.5', '2000', 'many', '']) {
      expect(() => settings.set('jobs.at-once', count)).toThrow('is not a number of jobs.at-once. Pass 1 to 1024.');
    }
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
    expect([settings.get('limit.up').value, settings.get('limit.down').value]).toEqual([undefined, down]);
    await writeFile(file, JSON.stringify({ settings: stored, workers: {} }));
    expect(settings.set('limit.up', '1MB').amount).toBe(1_000_000);
    expect(JSON.parse(await readFile(file, 'utf8'))).toHaveProperty('workers');
  });
});
