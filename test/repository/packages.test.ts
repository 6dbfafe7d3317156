import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  BROWSER_ENTRIES,
  type PackageJson,
  packageName,
  REPOSITORY,
  ROOMS,
  readJson,
  readPackage,
} from './workspaces.ts';

/** The sections of package-lock.json that are asked about. */
interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly resolved?: string; readonly hasInstallScript?: boolean }>
  >;
}

const root = await readJson<PackageJson>('package.json');
const lock = await readJson<Lock>('package-lock.json');
const license = await readFile(join(REPOSITORY, 'LICENSE'), 'utf8');

describe.each([...ROOMS])('packages/%s', (room) => {
  it('says what it is, under which license, and what it runs on', async () => {
    const manifest = await readPackage(room);
    expect(manifest.name).toBe(packageName(room));
    expect(manifest.description).toMatch(/^[A-Z].{20,}\.$/);
    expect(manifest.license).toBe('MIT');
    expect(manifest.type).toBe('module');
    expect(manifest.engines).toEqual(root.engines);
    expect(manifest.private).toBeUndefined();
  });

  it('publishes its build and sources, with src/index.ts as its public face beside the entries for browsers', async () => {
    const manifest = await readPackage(room);
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', '!dist/.tsbuildinfo', 'src']));
    expect(manifest.exports).toEqual({
      '.': { '@model-rtc/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
      ...browserEntries(manifest.name),
    });
  });

  it('carries the license of the repository', async () => {
    expect(await readFile(join(REPOSITORY, 'packages', room, 'LICENSE'), 'utf8')).toBe(license);
  });

  it('runs no script when it is installed', async () => {
    const { scripts = {} } = await readPackage(room);
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare|pack|publish)/.test(name))).toEqual([]);
  });
});

/** The further entries of a package, each a folder of its sources with an `index.ts`. */
function browserEntries(name: string): Record<string, unknown> {
  const paths = BROWSER_ENTRIES.map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith(`${name}/`))
    .map((specifier) => specifier.slice(name.length + 1));
  const entryOf = (path: string) => ({
    '@model-rtc/source': `./src/${path}/index.ts`,
    types: `./dist/${path}/index.d.ts`,
    default: `./dist/${path}/index.js`,
  });
  return Object.fromEntries(paths.map((path) => [`./${path}`, entryOf(path)]));
}

describe('versions', () => {
  it('are one for all packages, and what the lock file says', async () => {
    for (const room of ROOMS) {
      const manifest = await readPackage(room);
      expect([room, manifest.version]).toEqual([room, root.version]);
      expect([room, lock.packages[`packages/${room}`]?.version]).toEqual([room, root.version]);
    }
  });

  it('of dependencies are exact, and the same in every package', async () => {
    const asked = new Map<string, Set<string>>();
    for (const manifest of [root, ...(await Promise.all(ROOMS.map(readPackage)))]) {
      const all = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
      for (const [name, version] of Object.entries(all)) asked.set(name, (asked.get(name) ?? new Set()).add(version));
    }
    const inexact = [...asked].filter(([, versions]) =>
      [...versions].some((version) => !/^\d+\.\d+\.\d+$/.test(version)),
    );
    const different = [...asked].filter(([, versions]) => versions.size > 1);
    expect(inexact).toEqual([]);
    expect(different).toEqual([]);
  });

  it('of packages that depend on each other agree', async () => {
    for (const room of ROOMS) {
      const { dependencies = {} } = await readPackage(room);
      for (const other of ROOMS) expect([undefined, root.version]).toContain(dependencies[packageName(other)]);
    }
  });

  it('are locked without the address of a package registry, so that any mirror serves', () => {
    const addresses = Object.values(lock.packages).filter(({ resolved }) => resolved?.includes('://'));
    expect(addresses).toEqual([]);
  });
});

describe('scripts of other packages', () => {
  it('do not run when packages are installed', async () => {
    expect(await readFile(join(REPOSITORY, '.npmrc'), 'utf8')).toContain('ignore-scripts=true\n');
  });

  it('are those that are known to be needless', () => {
    const names = Object.entries(lock.packages).flatMap(([path, { hasInstallScript }]) =>
      hasInstallScript === true ? [path.replace(/^.*node_modules\//, '')] : [],
    );
    expect(names.sort()).toEqual(SCRIPTS_NOT_NEEDED);
  });
});

/**
 * All work without their scripts, which check for the binary of this platform, put it where it is found faster, or download
 * parts that are not used here.
 */
const SCRIPTS_NOT_NEEDED = ['@parcel/watcher', '@swc/core', 'esbuild', 'lmdb', 'msgpackr-extract', 'onnxruntime-node'];
