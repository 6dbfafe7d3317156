import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { directNodeModules, fixedPlaces } from './esbuild-plugins.js';
import { EVALUATE, FOLDER, REPOSITORY, SCRIPT, SCRIPT_VARIABLE, standInOf } from './places.js';

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
/** Where tests are, and what they share. */
const TEST_FOLDERS = ['bench', 'scripts', 'test'].map((name) => join(REPOSITORY, name));
const SOURCE = /^packages\/[^/]+\/src\//;
const OLD_MS = 3_600_000;

/**
 * Joins all sources, and what they import, into one script before the tests run: docs/decisions/joined-sources.md.
 * Each file in it is evaluated in a test file's own context, when it is first imported there.
 */
async function joinSources() {
  const files = [];
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    outfile: join(FOLDER, 'hash', SCRIPT),
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
  await removeOld();
  process.env[SCRIPT_VARIABLE] = await keep(hash, [
    [SCRIPT, script.contents],
    [`${SCRIPT}.map`, map.contents],
    ...files.map((file) => [standInOf(file), `module.exports = globalThis[Symbol.for('${EVALUATE}')]('${file}');\n`]),
  ]);
}

/** Writes the files of a script into a folder of its own, which comes to its place whole, since other runs may read it. */
async function keep(name, contents) {
  const folder = join(FOLDER, name);
  if (existsSync(folder)) return join(folder, SCRIPT);
  const temporary = `${folder}.${process.pid}`;
  for (const [path, text] of contents) {
    await mkdir(dirname(join(temporary, path)), { recursive: true });
    await writeFile(join(temporary, path), text);
  }
  await rename(temporary, folder).catch(async (error) => {
    await rm(temporary, { recursive: true });
    if (!existsSync(folder)) throw error;
  });
  return join(folder, SCRIPT);
}

/** A module that has each source, and the libraries that tests import, by its path. */
function entryOf(files) {
  const setup = (builder) => {
    builder.onResolve({ filter: /^joined:entry$/ }, ({ path }) => ({ path, namespace: 'joined' }));
    builder.onLoad({ filter: /.*/, namespace: 'joined' }, async () => {
      files.push(...(await importedSources()));
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

const IMPORT = /\b(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g;

/** The entries of all packages, and the files of them that tests import. Programs, which run when they are loaded, are no such file. */
async function importedSources() {
  const packages = (await readdir(join(REPOSITORY, 'packages'))).map((name) => join(REPOSITORY, 'packages', name));
  const found = new Set((await Promise.all(packages.map(entriesOf))).flat());
  const folders = [...packages.map((folder) => join(folder, 'test')), ...TEST_FOLDERS];
  for (const file of (await Promise.all(folders.map(typescriptIn))).flat()) {
    for (const [, path] of (await readFile(file, 'utf8')).matchAll(IMPORT)) {
      const source = join(dirname(file), path);
      if (SOURCE.test(source.slice(REPOSITORY.length)) && existsSync(source)) found.add(source);
    }
  }
  return [...found].sort();
}

async function entriesOf(folder) {
  const { exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const sources = Object.values(exports).map((entry) => entry['@model-rtc/source']);
  return sources.filter((path) => path !== undefined).map((path) => join(folder, path));
}

async function typescriptIn(folder) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

/** Scripts of earlier runs. Another run may have begun with one a moment ago. */
async function removeOld() {
  for (const name of await readdir(FOLDER).catch(() => [])) {
    const path = join(FOLDER, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > OLD_MS) await rm(path, { recursive: true, force: true });
  }
}

// biome-ignore lint/style/noDefaultExport: it is how jest finds it
export default joinSources;
