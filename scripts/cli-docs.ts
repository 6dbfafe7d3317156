/** Writes docs/cli.md, the reference of the command line, from the definitions that run. With --check it only compares. */
import { readFile, writeFile } from 'node:fs/promises';
import { CLI_PAGE, renderCliPage } from './cli-page.ts';

const page = renderCliPage();
if (!process.argv.includes('--check')) await writeFile(CLI_PAGE, page);
else if ((await readFile(CLI_PAGE, 'utf8').catch(() => '')) !== page) {
  process.stderr.write(`${CLI_PAGE} is out of date. Run: npm run docs:cli\n`);
  process.exitCode = 1;
}
