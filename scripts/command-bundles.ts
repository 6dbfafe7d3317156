import type { BuildOptions } from 'esbuild';
import { directImports } from './direct-imports.ts';

/** Native addons and WebAssembly, which are loaded from their own folders. */
const EXTERNAL = ['lmdb', 'node-datachannel', '@bokuweb/zstd-wasm'];

/** The files of threads and programs lie beside the code that starts them, as in the build. */
const COMMAND = {
  main: 'packages/cli/dist/main.js',
  'hash-thread': 'packages/registry/dist/hash/hash-thread.js',
  'thread-entry': 'packages/transfer/dist/node/disk/thread-entry.js',
  'onnx-runner': 'packages/jobs/dist/onnx/onnx-runner.js',
  'capture-output': 'packages/jobs/dist/presets/capture-output.js',
};

/** It shares no file with the command: code that both use would be cut into many small files, and the thread has to start quickly. */
const READING_THREAD = { 'reading-thread': 'packages/registry/dist/inspect/reading-thread.js' };

/** What esbuild makes the command of, in the repository's folder. @param outdir - where its files go */
export function commandBundles(outdir: string) {
  return [COMMAND, READING_THREAD].map((entryPoints) => optionsOf(entryPoints, outdir));
}

function optionsOf(entryPoints: Record<string, string>, outdir: string) {
  return {
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: EXTERNAL,
    plugins: [directImports()],
    // Libraries written as CommonJS ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
    legalComments: 'none',
    // A quarter less to compile. Names stay, and lines that can be shown when one of them throws.
    minifyWhitespace: true,
    lineLimit: 160,
    metafile: true,
    logLevel: 'warning',
  } as const satisfies BuildOptions;
}
