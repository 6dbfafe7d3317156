import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { REPOSITORY } from './workspaces.ts';

/** The targets of a page's links and images, without those in code. */
export function linksOf(markdown: string): string[] {
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const references = [...prose.matchAll(/^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)];
  return [...inline, ...references].map((match) => match[1] ?? '');
}

/** The anchors that a page's headings make, as GitHub names them. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let unique = slug;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${slug}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/**
 * The relative links of a page that lead nowhere: no such file or folder, or no such heading in it.
 * @param page from the repository's root
 */
export async function deadLinks(page: string): Promise<string[]> {
  const markdown = await readFile(join(REPOSITORY, page), 'utf8');
  const relative = linksOf(markdown).filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link));
  const dead: string[] = [];
  for (const link of relative) if (!(await leadsSomewhere(page, link))) dead.push(`${page}: ${link}`);
  return dead;
}

async function leadsSomewhere(page: string, link: string): Promise<boolean> {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), decodeURIComponent(path));
  const file = join(REPOSITORY, target);
  if (!(await exists(file))) return false;
  if (anchor === undefined || !target.endsWith('.md')) return true;
  return anchorsOf(await readFile(file, 'utf8')).has(anchor);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
