import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { directNodeModules, fixedPlaces } from './esbuild-plugins.js';
import { EVALUATE, FOLDER, REPOSITORY, SCRIPT_VARIABLE, standInFor } from './places.js';

/** Native code, which is loaded from its own folder. */
const EXTERNAL = ['node-datachannel', 'onnxruntime-node'];
/** Libraries that many tests import themselves. */
const LIBRARIES = ['@noble/hashes/sha2.js', '@noble/hashes/utils.js', 'fast-check', 'modern-tar', 'werift', 'ws'];
/** Looked up once in each test file, since jest has a proxy behind the global object. */
const GLOBALS = [
  ...['Array', 'ArrayBuffer', 'BigInt', 'Boolean', 'Buffer', 'DataView', 'Error', 'JSON', 'Map', 'Math', 'Number'],
  ...['Object', 'Promise', 'RangeError', 'Reflect', 'RegExp', 'Set', 'String', 'Symbol', 'TextDecoder', 'TextEncoder'],
  ...['TypeError', 'Uint8Array', 'Uint16Array', 'Uint32Array', 'WeakMap', 'WeakSet'],
];
const ENTRY = 'joined:entry';
const OLD_MS = 3_600_000;

/**
 * Joins all sources, and what they import, into one script before the tests run: docs/decisions/joined-sources.md.
 * Each file in it is evaluated in a test file's own context, when it is first imported there.
 */
async function joinSources() {
  const files = [];
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    outfile: join(FOLDER, 'script.js'),
    write: false,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    conditions: ['@model-rtc/source', 'node', 'node-addons'],
    external: EXTERNAL,
    supported: { 'dynamic-import': false },
    sourcemap: 'external',
    sourcesContent: false,
    keepNames: true,
    banner: { js: `(function (require, module) { const { ${GLOBALS.join(', ')} } = globalThis; (() => {` },
    footer: { js: '})(); })' },
    logLevel: 'error',
    plugins: [entryOf(files), directNodeModules(), fixedPlaces()],
  });
  const [map, script] = [...outputFiles].sort((a, b) => b.path.length - a.path.length);
  const hash = createHash('sha256').update(script.contents).digest('hex').slice(0, 16);
  const path = join(FOLDER, `${hash}.js`);
  await mkdir(FOLDER, { recursive: true });
  await removeOld();
  if (!existsSync(path)) {
    await write(`${path}.map`, map.contents);
    await write(path, script.contents);
  }
  for (const file of files) {
    const evaluate = `module.exports = globalThis[Symbol.for('${EVALUATE}')](${JSON.stringify(file)});\n`;
    const standIn = standInFor(file);
    if ((await readFile(standIn, 'utf8').catch(() => '')) !== evaluate) await write(standIn, evaluate);
  }
  process.env[SCRIPT_VARIABLE] = path;
}

/** A module that has each source, and the libraries that tests import, by its path. */
function entryOf(files) {
  const setup = (builder) => {
    builder.onResolve({ filter: /^joined:entry$/ }, ({ path }) => ({ path, namespace: 'joined' }));
    builder.onLoad({ filter: /.*/, namespace: 'joined' }, async () => {
      files.push(...(await sources()));
      for (const name of LIBRARIES) {
        const { path } = await builder.resolve(name, { kind: 'import-statement', resolveDir: REPOSITORY });
        files.push(path);
      }
      const rows = files.map((file) => `${JSON.stringify(file)}: () => require(${JSON.stringify(file)}),`);
      return { contents: `module.exports = {\n${rows.join('\n')}\n};`, resolveDir: REPOSITORY };
    });
  };
  return { name: 'entry', setup };
}

/** All but the command's `main.ts`, which runs as soon as it is loaded. */
async function sources() {
  const found = [];
  for (const name of await readdir(join(REPOSITORY, 'packages'))) {
    const folder = join(REPOSITORY, 'packages', name, 'src');
    const files = await readdir(folder, { recursive: true }).catch(() => []);
    found.push(...files.filter((file) => file.endsWith('.ts') && file !== 'main.ts').map((file) => join(folder, file)));
  }
  return found.sort();
}

/** Scripts of earlier runs. Another run may have begun with one a moment ago. */
async function removeOld() {
  for (const name of await readdir(FOLDER)) {
    const path = join(FOLDER, name);
    const { mtimeMs } = await stat(path);
    if (name.includes('.js') && Date.now() - mtimeMs > OLD_MS) await rm(path, { force: true });
  }
}

/** Puts a file in its place whole, since other runs may read it. */
async function write(path, contents) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, contents);
  await rename(temporary, path);
}

// biome-ignore lint/style/noDefaultExport: it is how jest finds it
export default joinSources;
