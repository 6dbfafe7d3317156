import { beforeAll, describe, expect, it } from '@jest/globals';
import { build, type Metafile } from 'esbuild';
import { commandBundles } from '../../scripts/command-bundles.ts';
import { REPOSITORY } from './workspaces.ts';

/** Libraries that take a while to load and that the start of a command needs nothing of. */
const HEAVY = [
  'zod',
  'lmdb',
  'yaml',
  'csv-parse',
  'send',
  'undici',
  'ws',
  'werift',
  'pino',
  '@clack/prompts',
  '@noble/curves',
];
/** Minified white space only. It is parsed before a command does anything. */
const MAX_START_KILOBYTES = 320;
const MAX_THREAD_KILOBYTES = 350;

/** The files that esbuild makes the command of; `npm run build` compiles what it reads. */
let command: Metafile;
let thread: Metafile;

beforeAll(async () => {
  const built = commandBundles('unwritten').map(async (options) => {
    const { metafile } = await build({ ...options, absWorkingDir: REPOSITORY, write: false });
    return metafile;
  });
  [command, thread] = (await Promise.all(built)) as [Metafile, Metafile];
}, 60_000);

interface Loaded {
  readonly kilobytes: number;
  readonly libraries: readonly string[];
}

/** What a bundle loads with these sources of ours, each an entry or imported lazily. */
function loadedWith(bundle: Metafile, sources: readonly string[]): Loaded {
  const outputs = new Map(Object.entries(bundle.outputs));
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind, external } of outputs.get(path)?.imports ?? [])
      if (kind === 'import-statement' && external !== true) load(next);
  };
  for (const source of sources) {
    const found = [...outputs].find(([, { entryPoint }]) => entryPoint === source);
    if (found === undefined) throw new Error(`${source} is neither an entry nor imported lazily`);
    load(found[0]);
  }
  const parts = [...loaded].map((path) => outputs.get(path) as Metafile['outputs'][string]);
  const inputs = parts.flatMap((part) => Object.keys(part.inputs));
  const externals = parts
    .flatMap(({ imports }) => imports)
    .filter(({ kind, external }) => external === true && kind !== 'dynamic-import');
  const libraries = new Set([...inputs.map(libraryOf), ...externals.map(({ path }) => path)]);
  return {
    kilobytes: Math.ceil(parts.reduce((sum, { bytes }) => sum + bytes, 0) / 1000),
    libraries: [...libraries].filter((name): name is string => name !== undefined),
  };
}

function libraryOf(input: string): string | undefined {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
}

describe('the start of a command', () => {
  it.each([
    ['client list-models', 'client/list-models'],
    ['client model-info', 'client/model-info/command'],
    ['client import-model', 'client/import-model/command'],
    ['client pull-model', 'client/pull-model'],
    ['worker start', 'worker/start'],
    ['models', 'models/group'],
  ])('loads little before %s is found', (_, file) => {
    const { kilobytes, libraries } = loadedWith(command, [
      'packages/cli/dist/cli.js',
      `packages/cli/dist/commands/${file}.js`,
    ]);
    expect(libraries).toContain('yargs');
    expect(libraries.filter((name) => HEAVY.includes(name))).toEqual([]);
    expect(kilobytes).toBeLessThan(MAX_START_KILOBYTES);
  });

  it('opens the registry without LMDB', () => {
    const { libraries } = loadedWith(command, ['packages/cli/dist/console/context.js']);
    expect(libraries).toContain('zod');
    expect(libraries).not.toContain('lmdb');
  });
});

describe('the thread that reads into model files', () => {
  it('loads little before it scans a model', () => {
    const { kilobytes, libraries } = loadedWith(thread, [
      'packages/registry/dist/inspect/reading-thread.js',
      'packages/registry/dist/import/scan-model.js',
      'packages/formats/dist/layouts/index.js',
    ]);
    expect(libraries.filter((name) => HEAVY.includes(name))).toEqual([]);
    expect(kilobytes).toBeLessThan(MAX_THREAD_KILOBYTES);
  });
});
