import type { Flaw } from './types.ts';

/** The folder that a path is in, with a `/` at the end; empty for a file at the top. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/** A path that a file names relative to its own folder; undefined when it leads out of the model. */
export function besideFile(path: string, named: string): string | undefined {
  const parts: string[] = [];
  for (const part of `${folderOf(path)}${named.replaceAll('\\', '/')}`.split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '' && part !== '.' && part !== '..') parts.push(part);
  }
  return named.startsWith('/') || parts.length === 0 ? undefined : parts.join('/');
}

/** The flaw of a file that is not there. */
export function missing(path: string, why: string): Flaw {
  return { kind: 'missing', path, problem: `is missing: ${why}` };
}
