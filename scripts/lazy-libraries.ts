/**
 * Keeps libraries that most commands never call from running when the bundle is loaded (`string-width` compiles the pattern of
 * all emoji and makes a segmenter, which takes 25 ms) and leaves out what no command ever calls.
 */
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/** Resolved from here whoever asks, so that the bundle holds one version. */
const RESOLVE_DIR = fileURLToPath(new URL('../packages/cli', import.meta.url));

/** Modules that stand before the libraries. esbuild runs a module that is required when the call is reached. */
const LAZY: Readonly<Record<string, string>> = {
  // Each printable ASCII character is one column wide.
  'string-width': `
    const PLAIN = /^[ -~]*$/;
    export default (text, options) => PLAIN.test(text) ? text.length : require('string-width').default(text, options);`,
  // yargs lays out the help with it.
  cliui: `export default (options) => require('cliui').default(options);`,
};
/** `conf` needs these for schemas and migrations of settings, which `openConfigFile` does not have. */
const UNUSED_BY_CONF: Readonly<Record<string, string>> = {
  'ajv/dist/2020.js': `export class Ajv2020 { constructor() { throw new Error('ajv is not in the bundle') } }`,
  'ajv-formats': `export default {};`,
  semver: `export default {};`,
};
const NAMESPACE = 'lazy-library';

export function lazyLibraries(): Plugin {
  return {
    name: NAMESPACE,
    setup(build) {
      build.onResolve({ filter: /^(string-width|cliui)$/ }, ({ path, kind }) =>
        kind === 'import-statement' ? { path, namespace: NAMESPACE, sideEffects: false } : undefined,
      );
      build.onResolve({ filter: /^(ajv\/dist\/2020\.js|ajv-formats|semver)$/ }, ({ path, importer }) =>
        /node_modules[/\\]conf[/\\]/.test(importer) ? { path, namespace: NAMESPACE, sideEffects: false } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: (LAZY[path] ?? UNUSED_BY_CONF[path]) as string,
        resolveDir: RESOLVE_DIR,
      }));
    },
  };
}
