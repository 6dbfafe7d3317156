import { readFileSync } from 'node:fs';

/** This package's folder: its sources, its build and its bundle all lie one folder below. */
export const PACKAGE_ROOT = new URL('../', import.meta.url);

/** The version of this package, as its package.json has it. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')) as { version: string };
  return version;
}
