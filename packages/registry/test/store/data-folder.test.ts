import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dataFolder, dataPaths } from '../../src/index.ts';

const home = '/home/ada';

describe('the data folder', () => {
  it('is MODEL_RTC_HOME where that is set, on every platform', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      expect(dataFolder({ env: { MODEL_RTC_HOME: '/data/models' }, platform, home })).toBe(resolve('/data/models'));
    }
  });

  it('follows XDG on Linux and ignores a relative XDG_DATA_HOME, as the specification says', () => {
    expect(dataFolder({ env: {}, platform: 'linux', home })).toBe('/home/ada/.local/share/model-rtc');
    expect(dataFolder({ env: { XDG_DATA_HOME: '/big' }, platform: 'linux', home })).toBe('/big/model-rtc');
    expect(dataFolder({ env: { XDG_DATA_HOME: 'big' }, platform: 'linux', home })).toBe(
      '/home/ada/.local/share/model-rtc',
    );
  });

  it('is in Application Support on a Mac and in APPDATA on Windows', () => {
    expect(dataFolder({ env: {}, platform: 'darwin', home })).toBe('/home/ada/Library/Application Support/model-rtc');
    const env = { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' };
    expect(dataFolder({ env, platform: 'win32', home })).toBe('C:\\Users\\ada\\AppData\\Roaming\\model-rtc');
    expect(dataFolder({ env: {}, platform: 'win32', home: 'C:\\Users\\ada' })).toBe(
      'C:\\Users\\ada\\AppData\\Roaming\\model-rtc',
    );
  });

  it('holds all paths inside it', () => {
    const { root, ...paths } = dataPaths('/data/models');
    for (const path of Object.values(paths)) expect(path.startsWith(`${root}/`)).toBe(true);
  });
});
