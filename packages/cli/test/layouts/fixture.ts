import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One row of the table that test/fixtures/layouts/make.py writes; its README.md says what the fields mean. */
export interface Check {
  readonly path: string;
  readonly args?: readonly string[];
  readonly command?: string;
  readonly expect: 'model' | 'refused' | 'several';
  readonly type?: string;
  readonly name?: string;
  readonly name_pattern?: string;
  readonly root?: string;
  readonly files?: readonly string[];
  readonly checkpoint?: string;
  readonly left_out?: readonly string[];
  readonly empty_folders?: readonly string[];
  readonly load?: readonly string[];
  readonly base?: { readonly said: string; readonly local: boolean };
  readonly reason?: readonly (readonly string[])[];
  readonly exit?: number;
  readonly members?: readonly { readonly path: string; readonly name: string; readonly type?: string }[];
  readonly why: string;
}

export interface Fixture {
  readonly folder: string;
  readonly checks: readonly Check[];
  remove(): void;
}

const MAKE = fileURLToPath(new URL('../../../../test/fixtures/layouts/make.py', import.meta.url));

/** Writes the small models into a new folder. */
export function makeFixture(python: string): Fixture {
  const folder = mkdtempSync(join(tmpdir(), 'model-rtc-layouts-'));
  execFileSync(python, [MAKE, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  const table = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, readonly Check[]>;
  return {
    folder,
    checks: Object.values(table).flat(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What a check is called in the tests, and in the list of gaps. */
export function nameOf({ path, args, command, expect }: Check): string {
  return [path, ...(args ?? []), ...(command === undefined ? [] : [`(${command})`]), expect].join(' ');
}
