import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this repository. */
export const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The packages in the order of DESIGN's rooms: each may depend on those before it, and on no other. */
export const ROOMS = [
  'protocol',
  'formats',
  'files',
  'http',
  'registry',
  'jobs',
  'signaling',
  'transport',
  'transfer',
  'static-registry',
  'hub',
  'mesh',
  'bridge',
  'worker',
  'client',
  'model-manager',
  'cli',
] as const;
export type Room = (typeof ROOMS)[number];

export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly private?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** The name under which a room is published: the command line is the package that users install, so it has no scope. */
export function packageName(room: Room): string {
  return room === 'cli' ? 'model-rtc' : `@model-rtc/${room}`;
}

/** What runs in a browser: whole packages, and the second entry of those that also have parts for Node alone. */
export const BROWSER_ENTRIES: readonly BrowserEntry[] = [
  { specifier: '@model-rtc/protocol', sources: 'packages/protocol/src/' },
  { specifier: '@model-rtc/formats', sources: 'packages/formats/src/' },
  { specifier: '@model-rtc/formats/convert', sources: 'packages/formats/src/convert/' },
  { specifier: '@model-rtc/formats/layouts', sources: 'packages/formats/src/layouts/' },
  { specifier: '@model-rtc/formats/validation', sources: 'packages/formats/src/validation/' },
  { specifier: '@model-rtc/signaling/client', sources: 'packages/signaling/src/client/' },
  {
    specifier: '@model-rtc/transport/core',
    sources: 'packages/transport/src/core/',
    adapters: 'packages/transport/src/lanes/',
  },
  { specifier: '@model-rtc/transport/browser', sources: 'packages/transport/src/browser/' },
  {
    specifier: '@model-rtc/transfer/core',
    sources: 'packages/transfer/src/core/',
    adapters: 'packages/transfer/src/node/',
  },
  { specifier: '@model-rtc/mesh/core', sources: 'packages/mesh/src/core/', adapters: 'packages/mesh/src/node/' },
];

export interface BrowserEntry {
  readonly specifier: string;
  /** The folder that it is made of; nothing in it may import a module of Node. */
  readonly sources: string;
  /** The folder that its package keeps adapters in: the entry may know their types, and runs nothing of them. */
  readonly adapters?: string;
}

/** The room that an import specifier leads to, and whether it goes past the package's public entries; undefined for all else. */
export function roomOf(specifier: string): { room: Room; deep: boolean } | undefined {
  for (const room of ROOMS) {
    const name = packageName(room);
    if (
      specifier === name ||
      BROWSER_ENTRIES.some((entry) => entry.specifier === specifier && specifier.startsWith(`${name}/`))
    ) {
      return { room, deep: false };
    }
    if (specifier.startsWith(`${name}/`)) return { room, deep: true };
  }
  return undefined;
}

export async function readJson<T>(...path: string[]): Promise<T> {
  return JSON.parse(await readFile(join(REPOSITORY, ...path), 'utf8')) as T;
}

export async function readPackage(room: Room): Promise<PackageJson> {
  return await readJson<PackageJson>('packages', room, 'package.json');
}

/** What a package needs to run: its ordinary and optional dependencies. */
export function runtimeDependencies(manifest: PackageJson): Record<string, string> {
  return { ...manifest.dependencies, ...manifest.optionalDependencies };
}

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git']);

/** The files below a folder of the repository whose names end so, as `/`-separated paths from the repository's root. */
export async function listFiles(folder: string, ending: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(join(REPOSITORY, folder), { withFileTypes: true }).catch(absentIsEmpty);
  for (const entry of entries) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !NOT_OURS.has(entry.name)) found.push(...(await listFiles(path, ending)));
    if (entry.isFile() && entry.name.endsWith(ending)) found.push(path);
  }
  return found.sort();
}

function absentIsEmpty(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
