import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { importProblem, mayDependOn } from './arrow-rules.ts';
import { importsOf } from './source-imports.ts';
import {
  listFiles,
  packageName,
  REPOSITORY,
  ROOMS,
  type Room,
  readJson,
  readPackage,
  roomOf,
  runtimeDependencies,
} from './workspaces.ts';

interface TsConfig {
  readonly references: readonly { readonly path: string }[];
}

async function fileImports(file: string): Promise<string[]> {
  return importsOf(await readFile(join(REPOSITORY, file), 'utf8'));
}

/** The rooms that a package.json asks for. */
async function declaredRooms(room: Room): Promise<Room[]> {
  const names = Object.keys(runtimeDependencies(await readPackage(room)));
  return ROOMS.filter((other) => names.includes(packageName(other)));
}

describe('the rooms', () => {
  it('are all the packages that there are, and all that the build knows', async () => {
    const folders = await readdir(join(REPOSITORY, 'packages'));
    const { references } = await readJson<TsConfig>('tsconfig.json');
    expect(folders.sort()).toEqual([...ROOMS].sort());
    expect(references.map(({ path }) => path)).toEqual(ROOMS.map((room) => `packages/${room}`));
  });
});

describe.each([...ROOMS])('the arrows of packages/%s', (room) => {
  it('lead to packages before it, and only through their public face', async () => {
    const files = [
      ...(await listFiles(`packages/${room}/src`, '.ts')),
      ...(await listFiles(`packages/${room}/test`, '.ts')),
    ];
    const problems: string[] = [];
    for (const file of files) {
      const specifiers = await fileImports(file);
      problems.push(...specifiers.flatMap((specifier) => importProblem(file, specifier) ?? []));
    }
    expect(files).toContain(`packages/${room}/src/index.ts`);
    expect(problems).toEqual([]);
  });

  it('are declared in its package.json, and none besides', async () => {
    const declared = await declaredRooms(room);
    const imported = new Set<Room>();
    for (const file of await listFiles(`packages/${room}/src`, '.ts')) {
      for (const specifier of await fileImports(file)) {
        const target = roomOf(specifier);
        if (target !== undefined) imported.add(target.room);
      }
    }
    expect({
      undeclared: [...imported].filter((other) => !declared.includes(other)),
      unused: declared.filter((other) => !imported.has(other)),
      downward: declared.filter((other) => !mayDependOn(room, other)),
    }).toEqual({ undeclared: [], unused: [], downward: [] });
  });

  it('are the references of its tsconfig.json', async () => {
    const { references } = await readJson<TsConfig>('packages', room, 'tsconfig.json');
    const declared = await declaredRooms(room);
    expect(references.map(({ path }) => path)).toEqual(declared.map((other) => `../${other}`));
  });
});
