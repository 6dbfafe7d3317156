import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { PACKAGE_ROOT } from './package-root.ts';

const packageSchema = z.object({ version: z.string() });

/** The version of this package, as its package.json has it. */
export function packageVersion(): string {
  return packageSchema.parse(JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8'))).version;
}
