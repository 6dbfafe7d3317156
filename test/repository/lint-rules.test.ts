import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from '../support/command.ts';
import { useLab } from '../support/suites.ts';
import { REPOSITORY } from './workspaces.ts';

/** A file that breaks one rule of Biome, and the rule. */
const OFFENCES: Readonly<Record<string, { rule: string; source: string }>> = {
  'packages/registry/src/cycle.ts': {
    rule: 'suspicious/noImportCycles',
    source: `import { other } from './cycle-other.ts';\n\nexport const own = (): number => other();\n`,
  },
  'packages/registry/src/undeclared.ts': {
    rule: 'correctness/noUndeclaredDependencies',
    source: `import { execa } from 'execa';\n\nexport const run = execa;\n`,
  },
  'packages/registry/src/floating.ts': {
    rule: 'nursery/noFloatingPromises',
    source: `import { later } from './later.ts';\n\nexport function start(): void {\n  later();\n}\n`,
  },
  'packages/registry/src/lost-cause.ts': {
    rule: 'style/useErrorCause',
    source: `export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('not JSON');
  }
}
`,
  },
  'packages/registry/src/thrown-text.ts': {
    rule: 'style/useThrowOnlyError',
    source: `export function fail(): never {\n  throw 'text';\n}\n`,
  },
  'packages/registry/src/long-file.ts': {
    rule: 'style/noExcessiveLinesPerFile',
    source: Array.from({ length: 301 }, (_, index) => `export const x${index} = ${index};\n`).join(''),
  },
  'packages/registry/src/long-function.ts': {
    rule: 'complexity/noExcessiveLinesPerFunction',
    source: `export function sum(): number {\n  let x = 0;\n${'  x += 1;\n'.repeat(60)}  return x;\n}\n`,
  },
  'packages/registry/src/badName.ts': {
    rule: 'style/useFilenamingConvention',
    source: 'export const name = 1;\n',
  },
  'packages/registry/src/default-export.ts': {
    rule: 'style/noDefaultExport',
    source: 'export default function name(): void {}\n',
  },
  'packages/registry/src/printing.ts': {
    rule: 'suspicious/noConsole',
    source: `export function print(): void {\n  console.log('text');\n}\n`,
  },
  'packages/registry/src/an-enum.ts': { rule: 'style/noEnum', source: 'export enum Colour {\n  Red = 1,\n}\n' },
  'packages/protocol/src/node-built-in.ts': {
    rule: 'correctness/noNodejsModules',
    source: `import { readFile } from 'node:fs/promises';\n\nexport const read = readFile;\n`,
  },
};

/** The same for oxlint, which knows the types of Node, of libraries and of other packages. */
const TYPED_OFFENCES: typeof OFFENCES = {
  'packages/registry/src/floating-of-node.ts': {
    rule: 'typescript(no-floating-promises)',
    source: `import type { FileHandle } from 'node:fs/promises';\n\nexport function end(file: FileHandle): void {\n  file.close();\n}\n`,
  },
  'packages/client/src/floating-across-packages.ts': {
    rule: 'typescript(no-floating-promises)',
    source: `import { later } from '@model-rtc/registry';\n\nexport function start(): void {\n  later();\n}\n`,
  },
  'packages/client/test/floating-in-a-test.test.ts': {
    rule: 'typescript(no-floating-promises)',
    source: `import { later } from '@model-rtc/registry';\n\nlater();\n`,
  },
  'packages/registry/src/async-listener.ts': {
    rule: 'typescript(no-misused-promises)',
    source: `import { later } from './later.ts';

export function listen(target: EventTarget): void {
  target.addEventListener('x', async () => {
    await later();
  });
}
`,
  },
};

/** What the offences need beside them. */
const REST = {
  'packages/registry/src/cycle-other.ts': `import { own } from './cycle.ts';\n\nexport const other = (): number => own();\n`,
  'packages/registry/src/later.ts': 'export async function later(): Promise<void> {\n  await Promise.resolve();\n}\n',
  'packages/registry/dist/index.d.ts': 'export declare function later(): Promise<void>;\n',
};

/** What both linters report as JSON. */
interface Report<Diagnostic> {
  readonly diagnostics: readonly Diagnostic[];
}

const lab = useLab('after all');
const own = (path: string): string => join(REPOSITORY, path);
const listed = (offences: typeof OFFENCES): string[] =>
  Object.entries(offences).map(([path, { rule }]) => `${path} ${rule}`);
let folder = '';

/** A copy of the repository's configuration with the offences in it; the packages find each other as npm links them. */
async function writeOffences(): Promise<void> {
  const configs = ['biome.json', '.oxlintrc.json', '.gitignore', 'package.json', 'tsconfig.base.json'];
  const packages = ['protocol', 'registry', 'client'].map((room) => `packages/${room}/package.json`);
  for (const path of [...configs, ...packages]) await cp(own(path), join(folder, path));
  const tsconfig = { extends: '../../tsconfig.base.json', references: [{ path: '../registry' }] };
  await writeFile(join(folder, 'packages/client/tsconfig.json'), JSON.stringify(tsconfig));
  await writeFile(join(folder, 'packages/registry/tsconfig.json'), JSON.stringify({ ...tsconfig, references: [] }));
  const sources = Object.entries({ ...OFFENCES, ...TYPED_OFFENCES }).map(
    ([path, { source }]) => [path, source] as const,
  );
  for (const [path, source] of [...sources, ...Object.entries(REST)]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), source);
  }
  for (const scope of ['@model-rtc', '@types']) await mkdir(join(folder, 'node_modules', scope), { recursive: true });
  await symlink('../../packages/registry', join(folder, 'node_modules', '@model-rtc', 'registry'));
  for (const name of ['@types/node', 'undici-types'])
    await symlink(own(`node_modules/${name}`), join(folder, 'node_modules', name));
}

/** Lints the offences, which has to fail, and gives what was reported. */
async function lint<Diagnostic>(linter: string, options: readonly string[]): Promise<readonly Diagnostic[]> {
  const env = { PATH: [own('node_modules/.bin'), process.env.PATH].join(delimiter) };
  const result = await runCommand([own(`node_modules/.bin/${linter}`), ...options], { cwd: folder, env });
  expect(result.exitCode).toBe(1);
  return result.json<Report<Diagnostic>>().diagnostics;
}

beforeAll(async () => {
  folder = await lab.folder();
  await writeOffences();
});

describe('Biome', () => {
  it('refuses every offence by the rule that it breaks', async () => {
    const options = ['lint', '--reporter=json', '--max-diagnostics=none', '--error-on-warnings', '.'];
    const found = await lint<{ category: string; location: { path: string } }>('biome', options);
    const reported = found.map(({ category, location }) => `${location.path} ${category.replace(/^lint\//, '')}`);
    expect(reported).toEqual(expect.arrayContaining(listed(OFFENCES)));
  });
});

describe('oxlint', () => {
  it('refuses the offences that take types to see, and nothing else', async () => {
    const found = await lint<{ code: string; filename: string }>('oxlint', ['--type-aware', '--format=json']);
    const expected = [...listed(TYPED_OFFENCES), 'packages/registry/src/floating.ts typescript(no-floating-promises)'];
    expect(found.map(({ code, filename }) => `${filename} ${code}`).sort()).toEqual(expected.sort());
  });
});
