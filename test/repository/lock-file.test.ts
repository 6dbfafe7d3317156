import { describe, expect, it } from '@jest/globals';
import { type PackageJson, ROOMS, readJson, readPackage } from './workspaces.ts';

interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Locked = Readonly<Record<string, LockedPackage>>;

const { packages: locked } = await readJson<{ packages: Locked }>('package-lock.json');

/** Where npm looks for a package that the one at a path needs: in its own node_modules, then in those above. */
function lookupPaths(from: string, name: string): string[] {
  const paths = [`${from === '' ? '' : `${from}/`}node_modules/${name}`];
  const parents = from.split('/node_modules/');
  for (let depth = parents.length - 1; depth > 0; depth -= 1) {
    paths.push(`${parents.slice(0, depth).join('/node_modules/')}/node_modules/${name}`);
  }
  return [...paths, `node_modules/${name}`];
}

function unlocked(packages: Locked): string[] {
  return Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !lookupPaths(path, name).some((candidate) => candidate in packages))
      .map((name) => `${path || 'the root'} needs ${name}`),
  );
}

// npm ci fails where the lock does not name the binaries of the platform that it runs on.
describe('package-lock.json', () => {
  it('names every package that a package in it needs, those for other platforms too', () => {
    expect(unlocked(locked)).toEqual([]);
  });

  it('would be found out if it left the binary of another platform out', () => {
    const { 'node_modules/@esbuild/win32-x64': omitted, ...rest } = locked;
    expect(omitted).toBeDefined();
    expect(unlocked(rest)).toEqual(['node_modules/esbuild needs @esbuild/win32-x64']);
  });

  it.each(['', ...ROOMS.map((room) => `packages/${room}`)])('agrees with the package.json of %p', async (path) => {
    const room = ROOMS.find((name) => path.endsWith(`/${name}`));
    const manifest = room === undefined ? await readJson<PackageJson>('package.json') : await readPackage(room);
    const { version, dependencies, devDependencies, optionalDependencies } = manifest;
    expect(locked[path]).toMatchObject({
      version,
      ...(dependencies && { dependencies }),
      ...(devDependencies && { devDependencies }),
      ...(optionalDependencies && { optionalDependencies }),
    });
  });
});
