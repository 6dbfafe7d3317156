import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { anchorsOf, deadLinks, linksOf } from './markdown-links.ts';
import { listFiles, type PackageJson, REPOSITORY, readJson } from './workspaces.ts';

const pages = await listFiles('', '.md');

describe('the pages of this repository', () => {
  it.each(pages)('%s has no relative link that leads nowhere', async (page) => {
    expect(await deadLinks(page)).toEqual([]);
  });

  it('name only scripts that there are', async () => {
    const { scripts = {} } = await readJson<PackageJson>('package.json');
    const unknown: string[] = [];
    for (const page of pages) {
      const markdown = await readFile(join(REPOSITORY, page), 'utf8');
      for (const [, name = ''] of markdown.matchAll(/npm run (?:--silent )?([a-z][a-z0-9:-]*)/g)) {
        if (!(name in scripts)) unknown.push(`${page}: npm run ${name}`);
      }
    }
    expect(unknown).toEqual([]);
  });
});

describe('docs/decisions/README.md', () => {
  it('lists every decision', async () => {
    const decisions = (await listFiles('docs/decisions', '.md')).filter((page) => !page.endsWith('/README.md'));
    const index = linksOf(await readFile(join(REPOSITORY, 'docs/decisions/README.md'), 'utf8'));
    expect(decisions.length).toBeGreaterThan(0);
    expect(
      decisions.map((page) => page.replace('docs/decisions/', '')).filter((page) => !index.includes(page)),
    ).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('names functions that are in the files beside them, all the way from a command to the first request', async () => {
    const rows = await roadOfPull();
    expect(rows.length).toBeGreaterThan(10);
    for (const { functions, files } of rows) {
      const sources = await Promise.all(
        files.map(async (file) => await readFile(join(REPOSITORY, 'packages', file), 'utf8')),
      );
      for (const name of functions) {
        expect({ name, files, found: sources.some((text) => new RegExp(`\\b${name}\\b`).test(text)) }).toMatchObject({
          found: true,
        });
      }
    }
  });

  it('has as many of them as the decision about the length of a pull says', async () => {
    const rows = await roadOfPull();
    const functions = rows.flatMap((row) => row.functions).length;
    const files = new Set(rows.flatMap((row) => row.files)).size;
    const decision = await readFile(join(REPOSITORY, 'docs/decisions/length-of-a-pull.md'), 'utf8');
    expect(decision).toMatch(new RegExp(`^# The road of a pull is ${functions} functions in ${files} files\n`));
  });
});

async function roadOfPull(): Promise<{ readonly functions: string[]; readonly files: string[] }[]> {
  const page = await readFile(join(REPOSITORY, 'docs/architecture.md'), 'utf8');
  const section = page.slice(page.indexOf('\n## Reading a pull'), page.indexOf('\n## How lanes come up'));
  const rows = section.matchAll(/^\| [^`|]+ \| (`[^|]+`) \| (`[^|]+`) \|$/gm);
  return [...rows].map(([, functions = '', files = '']) => ({ functions: codeIn(functions), files: codeIn(files) }));
}

/** What a cell of a table has in backquotes. */
function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

describe('linksOf', () => {
  it('finds inline links, images and reference definitions, and none in code', () => {
    const page =
      'See [a](a.md "title"), ![b](<b.png>) and [c].\n\n[c]: c.md#top\n\n```\n[d](d.md)\n```\nand `[e](e.md)`.';
    expect(linksOf(page)).toEqual(['a.md', 'b.png', 'c.md#top']);
  });
});

describe('anchorsOf', () => {
  it('names headings as GitHub does, numbering the repeated ones', () => {
    expect([...anchorsOf('# What is it?\n## A `b` & c\n## Same\n## Same\n')]).toEqual([
      'what-is-it',
      'a-b--c',
      'same',
      'same-1',
    ]);
  });
});
