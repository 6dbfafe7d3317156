/** Writes docs/limits.md from the limits of the packages. With --check it only compares. */
import { readFile, writeFile } from 'node:fs/promises';
import { LIMITS_PAGE, renderLimitsPage } from './limits-page.ts';

const page = await renderLimitsPage();
if (!process.argv.includes('--check')) await writeFile(LIMITS_PAGE, page);
else if ((await readFile(LIMITS_PAGE, 'utf8').catch(() => '')) !== page) {
  process.stderr.write(`${LIMITS_PAGE} is out of date. Run: npm run docs:limits\n`);
  process.exitCode = 1;
}
