import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { packageName, REPOSITORY, ROOMS, readPackage } from '../repository/workspaces.ts';
import { type CommandResult, runCommand } from '../support/command.ts';
import { useLab } from '../support/suites.ts';

interface Packed {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const lab = useLab('after all');
const { version } = await readPackage('cli');
let tarballs = '';
let packed: readonly Packed[] = [];

/** npm and its tools as a user's shell runs them: what npm sets for the scripts of this repository would lead them back here. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|command|execpath|node_execpath)|npm_config_local_prefix$|INIT_CWD$|NODE_)/.test(name),
  ),
);

async function succeed(cwd: string, command: readonly [string, ...string[]]): Promise<CommandResult> {
  const result = await runCommand(command, { cwd, env: environment });
  if (result.exitCode === 0) return result;
  throw new Error(`${command.join(' ')} ended with ${result.exitCode}\n${result.stdout}\n${result.stderr}`);
}

/** A tool of this repository. */
function tool(name: string): string {
  return join(REPOSITORY, 'node_modules', '.bin', name);
}

/** An empty folder into which all tarballs were installed, as a user would. */
async function installed(): Promise<string> {
  const folder = await lab.folder();
  const files = packed.map(({ filename }) => join(tarballs, filename));
  await succeed(folder, ['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...files]);
  return folder;
}

beforeAll(async () => {
  tarballs = await lab.folder();
  const pack = await succeed(REPOSITORY, ['npm', 'pack', '--workspaces', '--json', '--pack-destination', tarballs]);
  packed = pack.json<Packed[]>();
}, 300_000);

describe('the packed tarballs', () => {
  it('are all the packages, each with its license, build, sources and data, and no tests or tools', () => {
    expect(packed.map(({ name }) => name).sort()).toEqual(ROOMS.map(packageName).sort());
    for (const { files } of packed) {
      const paths = files.map(({ path }) => path);
      expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts']));
      const odd = paths.filter(
        (path) =>
          !/^(LICENSE|README\.md|package\.json|model-rtc\.js|bin\/|dist\/|src\/|demo-model\/|vectors\/)/.test(path),
      );
      expect([...odd, ...paths.filter((path) => path.endsWith('.tsbuildinfo'))]).toEqual([]);
    }
  });

  it('hold dist files for sources that there are', () => {
    for (const { files } of packed) {
      const paths = new Set(files.map(({ path }) => path));
      const stale = [...paths].filter((path) => {
        return (
          path.startsWith('dist/') && path.endsWith('.js') && !paths.has(path.replace(/^dist\/(.*)\.js$/, 'src/$1.ts'))
        );
      });
      if (stale.length > 0)
        throw new Error(`Left from renamed sources, remove with npm run clean: ${stale.join(', ')}`);
    }
  });

  it('satisfy publint', async () => {
    for (const { filename } of packed) {
      const result = await succeed(REPOSITORY, [tool('publint'), '--strict', join(tarballs, filename)]);
      expect(result.stdout).toContain('All good');
    }
  });

  it('have types that resolve wherever ES modules do', async () => {
    for (const { filename } of packed) {
      await succeed(REPOSITORY, [tool('attw'), join(tarballs, filename), '--profile', 'esm-only']);
    }
  });
});

describe('installed into an empty folder', () => {
  let folder = '';

  beforeAll(async () => {
    folder = await installed();
  }, 300_000);

  it('give a command that tells its version and its help', async () => {
    expect((await succeed(folder, ['npx', 'model-rtc', '--version'])).stdout.trim()).toBe(version);
    const { stdout } = await succeed(folder, ['npx', 'model-rtc', '--help']);
    for (const command of ['worker', 'client', 'signaling', 'demo']) expect(stdout).toContain(`model-rtc ${command}`);
  });

  it('give the command the compression that is not in its bundle', async () => {
    await writeFile(
      join(folder, 'compress.mjs'),
      `import { createRequire } from 'node:module';
       const require = createRequire(new URL('./node_modules/model-rtc/bin/main.js', import.meta.url));
       const { init, compress, decompress } = await import(require.resolve('@bokuweb/zstd-wasm'));
       await init();
       const short = compress(new Uint8Array(100_000), 1);
       console.log(JSON.stringify({ isShort: short.length < 100, length: decompress(short).length }));`,
    );
    expect((await succeed(folder, ['node', 'compress.mjs'])).json()).toEqual({ isShort: true, length: 100_000 });
  });

  it('give a library that opens a registry and connects', async () => {
    await writeFile(
      join(folder, 'use.mjs'),
      `import { connect, openRegistry } from 'model-rtc';
       const registry = await openRegistry({ home: new URL('./home', import.meta.url).pathname });
       const { total } = await registry.list({ filters: {}, sort: 'date', limit: 10 });
       await registry[Symbol.asyncDispose]();
       console.log(JSON.stringify({ connect: typeof connect, total }));`,
    );
    expect((await succeed(folder, ['node', 'use.mjs'])).json()).toEqual({ connect: 'function', total: 0 });
  });

  it('give types that a TypeScript project can use', async () => {
    await writeFile(
      join(folder, 'use.mts'),
      `import { connect, openRegistry, type Registry } from 'model-rtc';
       export const open: Promise<Registry> = openRegistry({ home: 'home' });
       export const how: Parameters<typeof connect> extends [] ? never : 'with arguments' = 'with arguments';
       // @ts-expect-error the types are no "any"
       export const wrong: number = openRegistry({ home: 'home' });`,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const typeRoots = ['--lib', 'es2023,esnext.disposable', '--typeRoots', join(REPOSITORY, 'node_modules', '@types')];
    await succeed(folder, [tool('tsc'), ...options, ...typeRoots, '--skipLibCheck', 'use.mts']);
  });
});
