import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import { PYTHON } from './requirements.ts';

/** A runner as its owner declares it, in JSON. */
export interface DeclaredRunner {
  readonly name: string;
  readonly args: readonly (string | readonly string[])[];
  readonly [field: string]: unknown;
}

/** Declares the runners of a machine, in place of those that it has. A running worker takes the change at once. */
export async function declareRunners(machine: Machine, runners: readonly DeclaredRunner[]): Promise<void> {
  const path = join(machine.home, 'runners.json');
  // In one step, as the command does it: the worker may read the file at any time.
  await writeFile(`${path}.new`, JSON.stringify({ version: 1, runners }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The text of a program in Debian's Python, as a runner that is given the arguments behind it. */
export function pythonRunner(
  name: string,
  program: string,
  args: readonly string[],
  more: object = {},
): DeclaredRunner {
  return { name, args: [PYTHON, '-B', '-E', '-s', '-c', escaped(program), ...args], ...more };
}

/** Braces are placeholders in the arguments of a runner. */
function escaped(program: string): string {
  if (/[{}]/.test(program)) throw new Error('A program in an argument can have no braces: write dict() and %.');
  return program;
}
