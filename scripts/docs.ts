/**
 * Writes the pages of docs/ that are generated from code: all of them, or those that are named (`catalog`, `cli`,
 * `limits`, `settings`, `track`).
 * With --check it only compares.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { renderCatalogPage } from './catalog-page.ts';
import { renderCliPage } from './cli-page.ts';
import { renderLimitsPage } from './limits-page.ts';
import { renderSettingsPage } from './settings-page.ts';
import { renderTrackPage } from './track-page.ts';

const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  catalog: renderCatalogPage,
  cli: renderCliPage,
  limits: renderLimitsPage,
  settings: renderSettingsPage,
  track: renderTrackPage,
};

const named = process.argv.slice(2).filter((word) => !word.startsWith('--'));
for (const name of named.length > 0 ? named : Object.keys(PAGES)) {
  const path = `docs/${name}.md`;
  const page = await PAGES[name]?.();
  if (page === undefined) throw new Error(`There is no generated page ${path}.`);
  if (!process.argv.includes('--check')) await writeFile(path, page);
  else if ((await readFile(path, 'utf8').catch(() => '')) !== page) {
    process.stderr.write(`${path} is out of date. Run: npm run docs\n`);
    process.exitCode = 1;
  }
}
