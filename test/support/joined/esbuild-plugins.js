import { readFile } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const BUILTINS = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/** Gives each of Node's modules one set of variables; esbuild makes an object of all its names for every file that imports it. */
export function directNodeModules() {
  const setup = (builder) => {
    builder.onResolve({ filter: /^(node:)?[a-z_/0-9]+$/ }, ({ path, kind }) => {
      if (!BUILTINS.has(path)) return undefined;
      // Each test file has a process object of its own, with other names.
      if (kind === 'require-call' || /^(node:)?process$/.test(path)) return { path, external: true };
      return { path: path.replace(/^node:/, ''), namespace: 'node' };
    });
    builder.onLoad({ filter: /.*/, namespace: 'node' }, ({ path }) => {
      const names = Object.keys(require(path)).filter((name) => name !== 'default' && /^[\w$]+$/.test(name));
      const exported = names.map((name, i) => `const value${i} = builtin.${name}; export { value${i} as ${name} };`);
      return {
        contents: `const builtin = require('node:${path}');\nexport { builtin as default };\n${exported.join('\n')}`,
      };
    });
  };
  return { name: 'node', setup };
}

/** Leaves each file its own URL and folder, by which it finds what lies beside it. */
export function fixedPlaces() {
  const setup = (builder) => {
    builder.onLoad({ filter: /\.[cm]?[jt]s$/, namespace: 'file' }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!/\bimport\.meta\b|\b__(?:dirname|filename)\b/.test(text)) return undefined;
      const contents = text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
      const loader = path.endsWith('ts') ? 'ts' : 'js';
      if (/\b(?:const|let|var) __(?:dirname|filename)\b/.test(text)) return { contents, loader };
      return {
        contents: contents
          .replaceAll(/\b__dirname\b/g, JSON.stringify(dirname(path)))
          .replaceAll(/\b__filename\b/g, JSON.stringify(path)),
        loader,
      };
    });
  };
  return { name: 'places', setup };
}
