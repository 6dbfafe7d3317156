import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** Inside the repository: a folder for temporary files is one where others could leave a program for root to run. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/model-rtc-tests/', import.meta.url));

/**
 * A program of `test/tools` that emulates a network between namespaces. It is compiled once and kept under a name that depends
 * on its source, so a changed source is compiled anew.
 *
 * @throws Error with what the compiler said
 */
export async function cProgram(name: 'wanlink' | 'lanswitch'): Promise<string> {
  const source = fileURLToPath(new URL(`../tools/${name}.c`, import.meta.url));
  const hash = createHash('sha256').update(await readFile(source));
  const path = `${CACHE}${name}-${hash.digest('hex').slice(0, 16)}`;
  if (await exists(path)) return path;
  await mkdir(CACHE, { recursive: true });
  // Another test's process may compile it at the same time; whichever is renamed last is as good.
  const unfinished = `${path}.${process.pid}`;
  await execa('cc', ['-O2', '-o', unfinished, source]);
  await rename(unfinished, path);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
