import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { directImports } from './direct-imports.ts';
import { type Joined, joinChunks, type Start } from './join-chunks.ts';
import { lazyLibraries } from './lazy-libraries.ts';

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

const PARSER = ['packages/cli/dist/main.js', 'packages/cli/dist/cli.js'];
const SETTINGS = ['node_modules/conf/dist/source/index.js', 'registry/dist/store/folder-modes.js'];
const SAVED_WORKERS = ['cli/dist/console/saved-workers.js', ...SETTINGS];
const PULL = [
  'client/pull-model',
  'cli/dist/console/progress.js',
  'registry/dist/inspect/code-files.js',
  'registry/dist/inspect/find-incomplete.js',
] as const;

/** What commands load that people wait for; `test/repository/command-start.test.ts` holds how many files that may be. */
export const STARTS = {
  'client list-models': command('client/list-models'),
  'client model-info': command('client/model-info/command', ...SAVED_WORKERS, 'registry/dist/runs/create.js'),
  'client import-model': command(
    'client/import-model/command',
    'cli/dist/console/progress.js',
    'registry/dist/inspect/model-reading.js',
    'registry/dist/inspect/find-incomplete.js',
    'registry/dist/inspect/code-files.js',
    'registry/dist/hash/hash-cache.js',
    'registry/dist/hash/hash-files.js',
    'registry/dist/archive/read-members.js',
  ),
  'client verify': command(
    'client/verify/command',
    'cli/dist/console/progress.js',
    'registry/dist/inspect/find-incomplete.js',
    'registry/dist/verify/find-orphans.js',
    'registry/dist/verify/hash-found.js',
    'registry/dist/verify/verify-model.js',
  ),
  'client pull-model': session(...PULL),
  // Without a start of its own, what only werift needs would be joined with what only static registries need.
  'client pull-model --engine werift': session(...PULL, 'transport/dist/lanes/webrtc/werift.js'),
  'client push-model': session(
    'client/push-model',
    'cli/dist/console/progress.js',
    'registry/dist/inspect/look-again.js',
  ),
  'worker list-models': session('worker/list-models', ...SAVED_WORKERS),
  'worker start': command(
    'worker/start',
    ...SETTINGS,
    'worker/dist/worker.js',
    'jobs/dist/hardware/machine-properties.js',
    'jobs/dist/hardware/probe-hardware.js',
    'mesh/dist/core/node-name.js',
    'mesh/dist/node/open-mesh-nodes.js',
    'registry/dist/inspect/code-files.js',
    'registry/dist/inspect/find-incomplete.js',
    'registry/dist/runs/folder-reports.js',
  ),
  'jobs list': session('jobs/group'),
  signaling: command('signaling', 'signaling/dist/server/start-signaling-server.js'),
  'models list': command('models/group', 'model-manager/dist/index.js', 'static-registry/dist/index.js'),
  catalog: command('catalog/group', 'client/dist/catalog.js'),
  'a completion': ['packages/cli/dist/main.js', 'packages/cli/dist/commands/completion/complete.js'],
  'the disk thread': ['packages/transfer/dist/node/disk/thread-entry.js'],
  'the hash thread': ['packages/registry/dist/hash/hash-thread.js'],
} as const satisfies Record<string, Start>;

/** @param file - of the command, in `commands`. @param more - files of packages that it loads when it runs */
function command(file: string, ...more: readonly string[]): Start {
  const own = [`cli/dist/commands/${file}.js`, 'cli/dist/console/context.js', ...more];
  return [...PARSER, ...own.map((path) => (path.startsWith('node_modules/') ? path : `packages/${path}`))];
}

/** A command that speaks to a worker. */
function session(file: string, ...more: readonly string[]): Start {
  return command(file, 'client/dist/connect.js', 'protocol/dist/session-token.js', ...SETTINGS, ...more);
}

export interface Bundle {
  /** Of what esbuild made before its files were joined. */
  readonly split: Metafile;
  readonly joined: Joined;
}

/** Makes the command and the thread, in the repository's folder. @param outdir - where the files go */
export async function bundleCommand(outdir: string, { write }: { readonly write: boolean }): Promise<Bundle[]> {
  return await Promise.all([
    bundle(outdir, write, COMMAND, (split) => [...Object.values(STARTS), definitionsOf(split)]),
    bundle(outdir, write, READING_THREAD, () => [READING_START]),
  ]);
}

/** What the thread loads before it looks at a model. */
export const READING_START = [
  'packages/registry/dist/inspect/reading-thread.js',
  'packages/registry/dist/import/scan-model.js',
  'packages/formats/dist/layouts/index.js',
];

async function bundle(
  outdir: string,
  write: boolean,
  entryPoints: Record<string, string>,
  startsOf: (split: Metafile) => readonly Start[],
): Promise<Bundle> {
  const split = await build({ ...COMMON, ...SPLIT, absWorkingDir: REPOSITORY, entryPoints, outdir, write: false });
  const run = Object.keys(entryPoints).map((name) => `${name}.js`);
  const groups = { starts: startsOf(split.metafile), run };
  const joined = await joinChunks(split, groups, { ...COMMON, ...WRITTEN, absWorkingDir: REPOSITORY, outdir, write });
  return { split: split.metafile, joined };
}

/** What `--help` and completion load: each command's definition, none of what it does. */
export function definitionsOf({ outputs }: Metafile): Start {
  const sources = Object.values(outputs).map(({ entryPoint = '' }) => entryPoint);
  return [...PARSER, ...sources.filter((source) => source.startsWith('packages/cli/dist/commands/'))];
}

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const COMMON = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

const SPLIT = {
  splitting: true,
  external: EXTERNAL,
  plugins: [directImports(), lazyLibraries()],
  // Libraries written as CommonJS ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = /* @__PURE__ */ bundleRequire(import.meta.url);",
  },
  metafile: true,
} as const satisfies BuildOptions;

// A quarter less to compile. Names stay, and lines that can be shown when one of them throws.
const WRITTEN = { minifyWhitespace: true, lineLimit: 160 } as const satisfies BuildOptions;
