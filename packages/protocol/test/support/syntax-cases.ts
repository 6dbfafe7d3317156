import { readFileSync } from 'node:fs';

/** The cases of a file in vectors/syntax: one JSON value a line; lines that start with `#` say what follows. */
export function syntaxCases(name: string): unknown[] {
  const text = readFileSync(new URL(`../../vectors/syntax/${name}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => JSON.parse(line) as unknown);
}
