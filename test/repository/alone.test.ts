import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../support/command.ts';
import { useLab } from '../support/suites.ts';
import { listFiles, REPOSITORY } from './workspaces.ts';

const lab = useLab();

/** Holds paths that lead nowhere, as examples. */
const INVENTED_PATHS = 'test/repository/arrow-rules.test.ts';

/** A relative path in quotes that climbs further than the folder of its file is deep. */
function outside(path: string, text: string): string[] {
  const depth = path.split('/').length - 1;
  return [...text.matchAll(/['"`(]((?:\.\.\/)+)[\w.-]/g)]
    .filter(([, climb = '']) => climb.length / '../'.length > depth)
    .map(([found]) => `${path}: ${found}`);
}

describe('a clone that stands alone', () => {
  it('reaches out of itself in no source, test, script or page', async () => {
    const all = await Promise.all(['.ts', '.js', '.mjs', '.json', '.md', '.py'].map((end) => listFiles('', end)));
    const paths = all.flat().filter((path) => path !== INVENTED_PATHS);
    expect(paths.length).toBeGreaterThan(500);
    const texts = await Promise.all(paths.map((path) => readFile(join(REPOSITORY, path), 'utf8')));
    expect(paths.flatMap((path, index) => outside(path, texts[index] as string))).toEqual([]);
  });

  it('would find a path that leads out of the repository', () => {
    const climb = '../'.repeat(3);
    expect(outside('test/support/scene.ts', `'${climb}shared/fixtures'`)).toHaveLength(1);
    expect(outside('packages/cli/test/a.ts', `'${climb}test/fixtures'`)).toEqual([]);
  });
});

describe('test/fixtures/layouts', () => {
  it('makes its inputs with python3 and nothing else, the same ones every time', async () => {
    const make = async () => {
      const folder = await lab.folder();
      const script = join(REPOSITORY, 'test/fixtures/layouts/make.py');
      const { exitCode, stderr, stdout } = await runCommand(['python3', '-I', '-c', ISOLATED, script, folder]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      return { says: stdout.split(' bytes in ')[0], expected: await readFile(join(folder, 'expected.json'), 'utf8') };
    };
    const [first, second] = [await make(), await make()];
    expect(first.says).toMatch(/^31 cases, 138 checks, /);
    expect(second).toEqual(first);
  });
});

/** Runs a program from its own folder with no packages but those of Python itself. */
const ISOLATED = [
  'import os, runpy, sys',
  'sys.argv = sys.argv[1:]',
  'sys.path = [p for p in sys.path if "-packages" not in p]',
  'sys.path.insert(0, os.path.dirname(sys.argv[0]))',
  'runpy.run_path(sys.argv[0], run_name="__main__")',
].join('\n');
