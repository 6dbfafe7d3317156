import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as protocol from '../src/index.ts';
import * as limits from '../src/limits.ts';

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

/** The part of the page under a heading, up to the next one of its level or above. */
function section(heading: string): string {
  const level = heading.indexOf(' ');
  const start = page.indexOf(`\n${heading}\n`) + 1;
  if (start === 0) throw new Error(`docs/protocol.md has no heading "${heading}"`);
  const rest = page.slice(start + heading.length);
  const end = rest.search(new RegExp(`\n#{1,${level}} `));
  return end === -1 ? rest : rest.slice(0, end);
}

/** The rows of the first table under a heading whose first cell is code. */
function rows(heading: string): string[][] {
  return [...section(heading).matchAll(/^\| `([^`]+)` +\|(.*)\|$/gm)].map(([, name = '', rest = '']) => [
    name,
    ...rest.split('|').map((cell) => cell.trim()),
  ]);
}

describe('docs/protocol.md', () => {
  it('has the limits that the code has', () => {
    const documented = rows('## Limits').map(([name, value]) => [name, Number(value)]);
    const inCode = Object.entries(limits).filter(([, value]) => typeof value === 'number');
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(inCode));
    expect(documented).toHaveLength(inCode.length);
  });

  it('has the error codes, exit codes and retries that the code has', () => {
    const documented = rows('## Errors').map(([code, exitCode, retry]) => [code, Number(exitCode), retry === 'yes']);
    const inCode = Object.entries(protocol.ERROR_CODES).map(([code, { exitCode, recovery }]) => [
      code,
      exitCode,
      recovery !== 'none' && recovery !== 'stopped',
    ]);
    expect(documented).toEqual(inCode);
  });

  it('is about the version that the code speaks', () => {
    const { major, minor } = protocol.PROTOCOL_VERSION;
    expect(page.split('\n')[0]).toBe(`# The protocol of model-rtc, version ${major}.${minor}`);
  });

  it('says in its table of hello the version that the code says', () => {
    const { major, minor } = protocol.PROTOCOL_VERSION;
    expect(Object.fromEntries(rows('### Hello')).protocol).toContain(`here ${major} and ${minor}`);
  });

  it('names every file of vectors', () => {
    const files = readdirSync(new URL('../vectors/', import.meta.url)).filter((name) => name.endsWith('.json'));
    for (const name of files) expect(page).toContain(`\`${name}\``);
  });

  it('describes every request with its scope', () => {
    const documented = [...page.matchAll(/^### (\w+) \(scope ([^)]+)\)$/gm)].map(([, method, scopes]) => [
      method,
      scopes,
    ]);
    const inCode = Object.entries(protocol.METHODS).map(([method, { scopes }]) => [
      method,
      scopes.map((scope) => `\`${scope}\``).join(' or '),
    ]);
    expect(documented).toEqual(inCode);
  });

  it('describes every message, every message of the exchange, and every field of an entry', () => {
    const typesOf = (options: readonly { shape: { type: { value: string } } }[]) =>
      options.map(({ shape }) => shape.type.value);
    expect(rows('## Messages').map(([type]) => type)).toEqual(
      expect.arrayContaining(typesOf(protocol.messageSchema.options)),
    );
    expect(rows('### What is inside').map(([type]) => type)).toEqual(typesOf(protocol.exchangeMessageSchema.options));
    for (const field of Object.keys(protocol.modelEntrySchema.shape)) {
      expect(section('## Entries')).toContain(`\`${field}\``);
    }
  });

  it('describes every field and event of a job', () => {
    const cells = [...section('## Jobs').matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].map(([, cell = '']) => cell);
    const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(named).toEqual(expect.arrayContaining(Object.keys(protocol.jobSchema.shape)));
    expect(rows('### follow_job (scope `track`)').map(([type]) => type)).toEqual(
      protocol.jobEventSchema.options.map(({ shape }) => shape.type.value),
    );
  });

  it('has a command that gives the digest of a folder', () => {
    const [, command = ''] = /```sh\n([\s\S]*?)```/.exec(section('### Digests')) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'protocol-page-'));
    try {
      const contents = { 'b.bin': 'two', 'a/with space': 'one', 'caf\u00e9 10:30.txt': '', B: 'x' };
      for (const [path, content] of Object.entries(contents)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), content);
      }
      const files = Object.entries(contents).map(([path, content]) => {
        return { path, size: content.length, sha256: protocol.sha256Digest(Buffer.from(content)) };
      });
      const printed = execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' });
      expect(printed.slice(0, 64)).toBe(protocol.modelDigest(files));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
