/**
 * Makes the command out of the build: few files in packages/cli/bin, since Node takes longer to find and load the hundreds
 * that it consists of than most commands take to run. The library is not bundled.
 */
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleCommand } from './command-bundles.ts';

const OUT = 'packages/cli/bin';

await rm(OUT, { recursive: true, force: true });
const bundles = await bundleCommand(OUT, { write: true });
const inputs = bundles.flatMap(({ split }) => Object.keys(split.inputs));
await writeFile(join(OUT, 'THIRD-PARTY-LICENSES.txt'), await licensesOf(inputs));

/** The license of each library that is in the bundle, as those ask for. */
async function licensesOf(inputs: readonly string[]): Promise<string> {
  const folders = new Set<string>();
  for (const input of inputs) {
    const folder = await libraryOf(input);
    if (folder !== undefined) folders.add(folder);
  }
  const texts: string[] = [];
  for (const folder of [...folders].sort()) texts.push(await licenseOf(folder));
  return texts.join('\n\n');
}

/** The innermost folder of a library around a file; some libraries have folders named node_modules in their sources. */
async function libraryOf(file: string): Promise<string | undefined> {
  for (let end = file.lastIndexOf('node_modules/'); end >= 0; end = file.lastIndexOf('node_modules/', end - 1)) {
    const folder = /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file.slice(end))?.[0];
    const path = `${file.slice(0, end)}${folder}`;
    if (folder !== undefined && (await exists(join(path, 'package.json')))) return path;
  }
  return undefined;
}

async function licenseOf(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((path) => /^(licen[cs]e|copying)([.-]|$)/i.test(path));
  if (file === undefined && license === undefined) throw new Error(`${folder} has no license: it may not be bundled`);
  const text = file === undefined ? '' : `\n\n${(await readFile(join(folder, file), 'utf8')).trim()}`;
  return `${name} ${version} (${license})${text}`;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
