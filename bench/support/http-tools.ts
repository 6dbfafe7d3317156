import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../../test/support/lab.ts';
import { program } from '../../test/support/requirements.ts';
import { runBaseline } from './baseline.ts';

/** Fetches files over HTTP into a folder, several at a time. */
export interface HttpTool {
  readonly name: string;
  /** What is missing on this machine, as a sentence; undefined when nothing is. */
  readonly whyNot: string | undefined;
  /** Writes what it is to fetch into `listPath`. @returns the command */
  command(files: readonly RemoteFile[], listPath: string, folder: string): Promise<readonly [string, ...string[]]>;
}

export interface RemoteFile {
  readonly url: string;
  /** What it is called here. */
  readonly name: string;
  readonly sha256: string;
}

/** As long as curl lets it choose: up to 50 files at a time. */
export const curl: HttpTool = {
  name: 'curl --parallel',
  whyNot: whyNot('curl', 'curl'),
  command: async (files, listPath, folder) => {
    const lines = files.map(({ url, name }) => `url = "${url}"\noutput = "${join(folder, name)}"\n`);
    await writeFile(listPath, lines.join(''));
    return ['curl', '--parallel', '--location', '--fail', '--silent', '--show-error', '--config', listPath];
  },
};

/** As many files at a time as a pull fetches chunks. */
export const aria2c: HttpTool = {
  name: 'aria2c',
  whyNot: whyNot('aria2c', 'aria2'),
  command: async (files, listPath, folder) => {
    await writeFile(listPath, files.map(({ url, name }) => `${url}\n  out=${name}\n`).join(''));
    return ['aria2c', '--quiet', '--no-conf', '-j', '4', '--file-allocation=none', '-d', folder, '-i', listPath];
  },
};

function whyNot(name: string, aptPackage: string): string | undefined {
  const { met, advice } = program(name, aptPackage);
  return met ? undefined : `${advice}; nothing is compared with it.`;
}

/**
 * Fetches the files with the tool, and reads all of them once more with `sha256sum`, as people do who want to know what they have.
 * @returns how long both took, in milliseconds
 */
export async function fetchAndHash(
  lab: Lab,
  tool: HttpTool,
  files: readonly RemoteFile[],
  signal: AbortSignal,
): Promise<number> {
  const folder = await lab.folder();
  const fetched = join(folder, 'fetched');
  await mkdir(fetched);
  const command = await tool.command(files, join(folder, 'list'), fetched);
  const startedMs = performance.now();
  await runBaseline(command, signal);
  const { stdout } = await runBaseline(['sha256sum', ...files.map(({ name }) => join(fetched, name))], signal);
  const elapsedMs = performance.now() - startedMs;
  await rm(folder, { recursive: true });
  const wrong = files.find(({ sha256 }) => !stdout.includes(sha256));
  if (wrong !== undefined) throw new Error(`${tool.name} did not bring ${wrong.name} as it is`);
  return elapsedMs;
}
