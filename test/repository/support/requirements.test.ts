import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { judge, program, pythonModules, rootUser } from '../../support/requirements.ts';
import { useLab } from '../../support/suites.ts';

const lab = useLab();

describe('program', () => {
  it('is met by an executable file of the name in any folder of the PATH', async () => {
    const folder = await lab.folder();
    await writeFile(join(folder, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
    expect(program('tool', 'tools', `/nowhere:${folder}`).met).toBe(true);
  });

  it('is not met by a file that cannot be executed, and says what to install', async () => {
    const folder = await lab.folder();
    await writeFile(join(folder, 'tool'), '', { mode: 0o644 });
    expect(program('tool', 'tools', folder)).toEqual({
      met: false,
      advice: 'tool is not installed: apt-get install tools',
    });
    expect(program('tool', 'tools', undefined).met).toBe(false);
  });
});

describe('pythonModules', () => {
  it('names each module that is missing, and its Debian package', async () => {
    const folder = await lab.folder();
    const python = join(folder, 'python');
    await writeFile(python, '#!/bin/sh\necho aiortc\necho xxhash\n', { mode: 0o755 });
    expect(pythonModules(['aiortc', 'msgpack', 'xxhash'], python)).toEqual({
      met: false,
      advice: `${python} lacks aiortc, xxhash: apt-get install --no-install-recommends python3-aiortc python3-xxhash`,
    });
  });

  it('is met when none is missing, and misses all where there is no Python', async () => {
    const folder = await lab.folder();
    const python = join(folder, 'python');
    await writeFile(python, '#!/bin/sh\n', { mode: 0o755 });
    expect(pythonModules(['aiortc'], python).met).toBe(true);
    const { met, advice } = pythonModules(['aiortc'], join(folder, 'nowhere'));
    expect(met).toBe(false);
    expect(advice).toMatch(/lacks aiortc: apt-get install .* python3-aiortc$/);
  });
});

describe('judge', () => {
  const met = { met: true, advice: 'nothing' };
  const missing = [
    { met: false, advice: 'install a' },
    { met: false, advice: 'install b' },
  ];

  it('lets a suite run that has all it needs', () => {
    expect(judge([met], true)).toEqual({ kind: 'run' });
    expect(judge([], false)).toEqual({ kind: 'run' });
    expect(rootUser(0).met).toBe(true);
  });

  it('skips a suite that lacks something, with all the advice', () => {
    expect(judge([met, ...missing], false)).toEqual({ kind: 'skip', reason: 'install a; install b' });
  });

  it('fails it where nothing may be skipped', () => {
    expect(judge([rootUser(1000)], true)).toEqual({ kind: 'fail', reason: rootUser(1000).advice });
  });
});
