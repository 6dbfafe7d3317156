import { isBuiltin } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { build, type Plugin } from 'esbuild';
import { BROWSER_ENTRIES, REPOSITORY } from './workspaces.ts';

/** Minified, with every library in it: more than this is a library too many, or a part of an entry for Node. */
const MAX_KILOBYTES: Readonly<Record<string, number>> = {
  '@model-rtc/protocol': 256,
  '@model-rtc/formats': 150,
  '@model-rtc/formats/convert': 150,
  '@model-rtc/formats/layouts': 280,
  '@model-rtc/formats/validation': 200,
  '@model-rtc/signaling/client': 250,
  '@model-rtc/transport/core': 300,
  '@model-rtc/transport/browser': 330,
  '@model-rtc/transfer/core': 200,
  '@model-rtc/mesh/core': 280,
};

interface Bundle {
  readonly kilobytes: number;
  /** Modules of Node that it imports, each with the file that does. */
  readonly builtins: readonly string[];
  /** The files that it is made of, from the repository's root; those imported for types alone are not among them. */
  readonly files: readonly string[];
}

async function bundle(specifier: string): Promise<Bundle> {
  const builtins: string[] = [];
  const findBuiltins: Plugin = {
    name: 'find-builtins',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path, importer }) => {
        if (!isBuiltin(path)) return undefined;
        builtins.push(`${path} in ${importer}`);
        return { path, external: true };
      });
    },
  };
  const { outputFiles, metafile } = await build({
    absWorkingDir: REPOSITORY,
    metafile: true,
    stdin: { contents: `export * from '${specifier}';`, resolveDir: REPOSITORY },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@model-rtc/source'],
    plugins: [findBuiltins],
    logLevel: 'silent',
  });
  const bytes = outputFiles.reduce((sum, { contents }) => sum + contents.length, 0);
  return { kilobytes: Math.ceil(bytes / 1000), builtins, files: Object.keys(metafile.inputs) };
}

describe.each(BROWSER_ENTRIES.map(({ specifier }) => specifier))('%s in a browser', (specifier) => {
  it('asks for no module of Node, and stays within its size', async () => {
    const { kilobytes, builtins } = await bundle(specifier);
    expect(builtins).toEqual([]);
    expect(kilobytes).toBeLessThanOrEqual(MAX_KILOBYTES[specifier] ?? 0);
    expect(kilobytes).toBeGreaterThan(1);
  });
});

describe.each(BROWSER_ENTRIES.filter(({ adapters }) => adapters !== undefined))(
  '$specifier',
  ({ specifier, sources, adapters = '' }) => {
    it('runs nothing of the adapters of its package', async () => {
      const { files } = await bundle(specifier);
      expect(files.filter((file) => file.startsWith(sources)).length).toBeGreaterThan(1);
      expect(files.filter((file) => file.startsWith(adapters))).toEqual([]);
    });
  },
);
