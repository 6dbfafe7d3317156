import { basename } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { type Bundle, bundleCommand, definitionsOf, READING_START, STARTS } from '../../scripts/command-bundles.ts';
import { outputsLoadedWith, type Start } from '../../scripts/join-chunks.ts';

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
const MAX_THREAD_KILOBYTES = 350;
/** Each file costs Node a third of a millisecond to find and link, before any of it runs. */
const MAX_PARSER_FILES = 20;
const MAX_THREAD_FILES = 4;

/** The files that esbuild makes the command of; `npm run build` compiles what it reads. */
let command: Bundle;
let thread: Bundle;

beforeAll(async () => {
  [command, thread] = (await bundleCommand('unwritten', { write: false })) as [Bundle, Bundle];
}, 60_000);

interface Loaded {
  readonly files: number;
  readonly kilobytes: number;
  readonly libraries: readonly string[];
}

/** What a bundle loads with these sources of ours, each an entry or imported lazily. */
function loadedWith({ split, joined }: Bundle, sources: Start): Loaded {
  const loaded = outputsLoadedWith(split, sources);
  const parts = [...loaded].map((path) => split.outputs[path] as Metafile['outputs'][string]);
  const inputs = parts.flatMap((part) => Object.keys(part.inputs));
  const externals = parts
    .flatMap(({ imports }) => imports)
    .filter(({ kind, external }) => external === true && kind !== 'dynamic-import');
  const libraries = new Set([...inputs.map(libraryOf), ...externals.map(({ path }) => path)]);
  const files = new Set([...loaded].map(joined.fileOf));
  const written = Object.entries(joined.outputs).filter(([path]) => files.has(basename(path)));
  return {
    files: files.size,
    kilobytes: Math.ceil(written.reduce((sum, [, { bytes }]) => sum + bytes, 0) / 1000),
    libraries: [...libraries].filter((name): name is string => name !== undefined),
  };
}

function libraryOf(input: string): string | undefined {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
}

describe('the start of a command', () => {
  it.each([
    ['client list-models', 'client/list-models', 350],
    ['client model-info', 'client/model-info/command', 350],
    ['client import-model', 'client/import-model/command', 350],
    ['client pull-model', 'client/pull-model', 350],
    ['worker start', 'worker/start', 350],
    // Half of it is joined with what each of its commands loads when it runs.
    ['models', 'models/group', 550],
  ])('loads little before %s is found', (_, file, mostKilobytes) => {
    const { files, kilobytes, libraries } = loadedWith(command, [
      'packages/cli/dist/main.js',
      'packages/cli/dist/cli.js',
      `packages/cli/dist/commands/${file}.js`,
    ]);
    expect(libraries).toContain('yargs');
    expect(libraries.filter((name) => HEAVY.includes(name))).toEqual([]);
    // White space is removed, names are whole.
    expect(kilobytes).toBeLessThan(mostKilobytes);
    expect(files).toBeLessThanOrEqual(MAX_PARSER_FILES);
  });

  it.each([
    ['client list-models', { files: 20, kilobytes: 850 }],
    ['client model-info', { files: 22, kilobytes: 950 }],
    ['client import-model', { files: 27, kilobytes: 1000 }],
    ['client pull-model', { files: 40, kilobytes: 1700 }],
    // werift is 1200 kB of it.
    ['client pull-model --engine werift', { files: 42, kilobytes: 2900 }],
    ['worker list-models', { files: 35, kilobytes: 1650 }],
    ['worker start', { files: 35, kilobytes: 2200 }],
    ['the disk thread', { files: 8, kilobytes: 300 }],
  ] as const)('loads few files for %s, with what its command loads when it runs', (start, most) => {
    const { files, kilobytes } = loadedWith(command, STARTS[start]);
    expect(files).toBeLessThanOrEqual(most.files);
    expect(kilobytes).toBeLessThan(most.kilobytes);
  });

  it('loads the definitions of all commands for --help, and nothing of what they do', () => {
    const { files, kilobytes } = loadedWith(command, definitionsOf(command.split));
    expect(files).toBeLessThanOrEqual(45);
    expect(kilobytes).toBeLessThan(1000);
  });

  it('opens the registry without LMDB', () => {
    const { libraries } = loadedWith(command, ['packages/cli/dist/console/context.js']);
    expect(libraries).toContain('zod');
    expect(libraries).not.toContain('lmdb');
  });
});

describe('the files that were joined', () => {
  it('export all that the others import from them', () => {
    const missing = [command, thread].flatMap(({ split, joined }) =>
      Object.entries(split.outputs).flatMap(([path, { exports }]) => {
        const file = joined.fileOf(path);
        const names = Object.entries(joined.outputs).find(([written]) => basename(written) === file)?.[1].exports ?? [];
        const isAlone = file === basename(path);
        return exports.filter(
          (name) => !names.some((given) => (isAlone ? given === name : given.startsWith(`${name}_`))),
        );
      }),
    );
    expect(missing).toEqual([]);
  });
});

describe('the thread that reads into model files', () => {
  it('loads little before it scans a model', () => {
    const { files, kilobytes, libraries } = loadedWith(thread, READING_START);
    expect(libraries.filter((name) => HEAVY.includes(name))).toEqual([]);
    expect(kilobytes).toBeLessThan(MAX_THREAD_KILOBYTES);
    expect(files).toBeLessThanOrEqual(MAX_THREAD_FILES);
  });
});
