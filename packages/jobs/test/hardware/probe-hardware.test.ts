import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { createHardwareProbe } from '../../src/index.ts';

/** A folder with a stand-in for the driver's program, which counts how often it is started. */
async function withDriver(script: string): Promise<{ PATH: string; starts: () => Promise<number> }> {
  const folder = await temporaryFolder();
  const path = join(folder, 'nvidia-smi');
  await writeFile(path, `#!/bin/sh\necho x >> "${folder}/starts"\n${script}\n`);
  await chmod(path, 0o755);
  const starts = async () => (await readFile(join(folder, 'starts'), 'utf8').catch(() => '')).length / 2;
  return { PATH: `${folder}:/usr/bin:/bin`, starts };
}

function probe(PATH: string, platform: NodeJS.Platform = 'linux', arch = 'x64', clock = { nowMs: () => 0 }) {
  return createHardwareProbe({ env: { PATH }, platform, arch }, clock);
}

describe('what a machine can compute on', () => {
  it('is the CPU where nothing else is found', async () => {
    expect([...(await probe('/nowhere')())]).toEqual(['cpu']);
  });

  it('is CUDA where the driver names a GPU', async () => {
    const { PATH } = await withDriver('echo GPU-1c4a3ad2-7f07-8d6b-0d0b-0d9cf3a1b5b0');
    expect([...(await probe(PATH)())]).toEqual(['cpu', 'cuda']);
  });

  it.each(['echo "No devices were found"', 'echo GPU-1; exit 9', ':', 'yes GPU-1'])(
    'is the CPU alone where the driver answers by %j',
    async (script) => {
      const { PATH } = await withDriver(script);
      expect([...(await probe(PATH)())]).toEqual(['cpu']);
    },
  );

  it('is Metal on a Mac with a processor of Apple', async () => {
    expect([...(await probe('', 'darwin', 'arm64')())]).toEqual(['cpu', 'metal']);
    expect([...(await probe('', 'darwin', 'x64')())]).toEqual(['cpu']);
  });

  it('is asked for again only after a while', async () => {
    const { PATH, starts } = await withDriver('echo GPU-1');
    let nowMs = 0;
    const hardware = probe(PATH, 'linux', 'x64', { nowMs: () => nowMs });
    await Promise.all([hardware(), hardware()]);
    nowMs = 60_000;
    await hardware();
    expect(await starts()).toBe(1);
    nowMs = 301_000;
    await hardware();
    expect(await starts()).toBe(2);
  });
});
