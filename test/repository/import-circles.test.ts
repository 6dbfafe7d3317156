import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import { importsOf } from './source-imports.ts';
import { listFiles, REPOSITORY, ROOMS } from './workspaces.ts';

/** By file of a package's sources: the files of the package that it imports, types included. */
type Graph = ReadonlyMap<string, readonly string[]>;

async function readGraph(folder: string): Promise<Graph> {
  const graph = new Map<string, readonly string[]>();
  for (const file of await listFiles(folder, '.ts')) {
    const specifiers = importsOf(await readFile(join(REPOSITORY, file), 'utf8'));
    const relative = specifiers.filter((specifier) => specifier.startsWith('.'));
    graph.set(
      file,
      relative.map((specifier) => normalize(join(dirname(file), specifier))),
    );
  }
  return graph;
}

/** The first circle that a depth-first walk meets, as the files from one of it back to itself; none when there is none. */
function findCircle(graph: Graph): readonly string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const imported of graph.get(file) ?? []) {
      const circle = walk(imported);
      if (circle !== undefined) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = walk(file);
    if (circle !== undefined) return circle;
  }
  return [];
}

describe.each([...ROOMS])('the files of packages/%s', (room) => {
  it('do not import each other in a circle, not even for types', async () => {
    expect(findCircle(await readGraph(`packages/${room}/src`))).toEqual([]);
  });
});

describe('findCircle', () => {
  it('finds a circle behind a file that is not part of it', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['d', 'b']],
    ]);
    expect(findCircle(graph)).toEqual(['b', 'c', 'b']);
  });

  it('takes two ways to the same file for no circle', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', ['d']],
      ['c', ['d']],
      ['d', []],
    ]);
    expect(findCircle(graph)).toEqual([]);
  });
});
