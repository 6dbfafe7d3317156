import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { dataPaths } from '@model-rtc/registry';
import { type RunningCommand, startCommand } from '../support/command.ts';
import type { Lab } from '../support/lab.ts';
import { useLab } from '../support/suites.ts';

const CHILDREN = fileURLToPath(new URL('../../packages/registry/test/children/', import.meta.url));

/** The parts of registry.json that are looked at. */
interface IndexJson {
  readonly models: Readonly<
    Record<string, { readonly digest: string; readonly alias: string; readonly folder: string }>
  >;
}

const lab = useLab();

/** Runs a program over the registry's sources as a process of its own, which is gone when the test is. */
function start(at: Lab, file: string, ...args: string[]): RunningCommand {
  const node = ['--import', 'tsx', '--conditions=@model-rtc/source', '--no-warnings', join(CHILDREN, file), ...args];
  const running = startCommand([process.execPath, ...node], { cwd: CHILDREN, env: { PATH: process.env.PATH } });
  at.onEnd(() => running.kill('SIGKILL'));
  return running;
}

const readIndex = async (home: string): Promise<IndexJson> =>
  JSON.parse(await readFile(dataPaths(home).registryFile, 'utf8')) as IndexJson;

describe('many writers of one registry', () => {
  it('lose none of a thousand models that ten processes register at once', async () => {
    const home = await lab.folder();
    const writers = Array.from({ length: 10 }, (_, i) => start(lab, 'install-many.ts', home, `p${i}`, '100'));
    for (const { exited } of writers) expect(await exited).toMatchObject({ exitCode: 0, stderr: '' });
    const models = Object.values((await readIndex(home)).models);
    const expected = writers.flatMap((_, i) => Array.from({ length: 100 }, (_unused, n) => `p${i}-${n}`));
    expect(models.map(({ alias }) => alias).sort()).toEqual(expected.sort());
    const folders = (await readdir(dataPaths(home).models)).filter((name) => !name.startsWith('registry.'));
    expect(folders.sort()).toEqual(models.map(({ folder }) => folder).sort());
    expect(await readdir(dataPaths(home).staging)).toEqual([]);
  });

  it('leave a readable index, with all that was reported, when they are killed during a thousand writes', async () => {
    const home = await lab.folder();
    expect(await start(lab, 'install-many.ts', home, 'model', '4').exited).toMatchObject({ exitCode: 0 });
    const ids = Object.keys((await readIndex(home)).models);
    let writes = 0;
    for (let round = 0; writes < 1000; round++) {
      const writers = ids.map((id, i) => start(lab, 'tag-many.ts', home, id, `r${round}w${i}`));
      // Each dies at another moment of its work; the last ones while others hold or break its lock.
      for (const [i, writer] of writers.entries()) {
        await writer.waitForStdout(`wrote ${20 + 7 * i};`);
        await writer.kill('SIGKILL');
      }
      const { models } = await readIndex(home);
      for (const [i, writer] of writers.entries()) {
        const reported = [...writer.stdout.matchAll(/wrote (\d+);/g)].length;
        writes += reported;
        const [, last = ''] = new RegExp(`^r${round}w${i}-(\\d+)$`).exec(models[ids[i] as string]?.alias ?? '') ?? [];
        // The one that was under way may have been written as well.
        expect([reported - 1, reported]).toContain(Number(last));
      }
    }
    const kept = await readdir(dataPaths(home).models);
    expect(kept.filter((name) => name.includes('corrupted'))).toEqual([]);
    expect(await start(lab, 'install-many.ts', home, 'after', '1').exited).toMatchObject({ exitCode: 0, stderr: '' });
    const after = await readdir(dataPaths(home).models);
    expect(after.filter((name) => /^registry\.json\..*tmp$/.test(name))).toEqual([]);
  });
});
