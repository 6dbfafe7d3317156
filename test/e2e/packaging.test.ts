import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { packageName, REPOSITORY, ROOMS, readPackage } from '../repository/workspaces.ts';
import { type CommandResult, runCommand } from '../support/command.ts';
import { publish } from '../support/registry-folder.ts';
import { importModel, openScene } from '../support/scene.ts';
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

async function succeed(
  cwd: string,
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const result = await runCommand(command, { cwd, env: { ...environment, ...env } });
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

  it('give a program of ten lines the commands of a registry', async () => {
    const url = await registryUrl();
    await copyFile(join(REPOSITORY, 'examples/embedded-cli/mytool.js'), join(folder, 'mytool.js'));
    const env = { MODEL_RTC_REGISTRY_URL: url, XDG_DATA_HOME: join(folder, 'data'), HOME: folder };
    const mytool = async (...args: string[]) => await succeed(folder, ['node', 'mytool.js', 'models', ...args], env);
    const { stdout, stderr } = await mytool('pull', 'fast-whisper/tiny', 'fp16');
    expect(stderr).toContain('Downloading: 1/1 chunks [====================] 100%');
    expect(stdout).toContain('Model installed: fast-whisper/tiny fp16');
    const path = (await mytool('path', 'fast-whisper/tiny', 'fp16')).stdout.trim();
    expect(path.startsWith(join(folder, 'data', 'mytool', 'models'))).toBe(true);
    expect(await readFile(join(path, 'model.bin'), 'utf8')).toBe('weights');
    expect((await mytool('list', '--json')).json()).toMatchObject({ models: [{ version: 'fp16', path }] });
  });

  it('run every example of docs/library.md', async () => {
    const { worker, session } = await openScene(lab);
    await writeFile(join(worker.folder, 'mouse.pt'), 'weights of a mouse');
    await importModel(worker, join(worker.folder, 'mouse.pt'), 'mouse');
    const env = { MODEL_RTC_REGISTRY_URL: await registryUrl(), XDG_DATA_HOME: join(folder, 'data'), HOME: folder };
    const page = await readFile(join(REPOSITORY, 'docs/library.md'), 'utf8');
    const examples = [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, text = '']) => text);
    const printed: string[] = [];
    for (const [i, text] of examples.entries()) {
      await writeFile(join(folder, `example-${i}.mjs`), text);
      const { stdout } = await succeed(folder, ['node', `example-${i}.mjs`], { ...env, MODEL_RTC_SESSION: session });
      printed.push(stdout);
    }
    expect(printed[0]).toContain(join('mytool', 'models'));
    expect(printed[1]).toContain(join('models', ''));
    expect(printed[2]).toContain('mouse');
  }, 120_000);

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

/** A registry in a folder, with one small model. */
async function registryUrl(): Promise<string> {
  const registry = await lab.folder();
  const files = { 'model.bin': Buffer.from('weights') };
  await publish(registry, ['fast-whisper', 'tiny', 'fp16'], files, { chunkBytes: 1024 });
  return `file://${registry}`;
}
