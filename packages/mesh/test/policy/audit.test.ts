import { appendFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { noteDecisions, readDecisions } from '../../src/index.ts';

describe('the audit log of decisions', () => {
  it('has the newest first, and leaves out damaged lines', async () => {
    const root = await temporaryFolder();
    await noteDecisions(root, [{ event: 'eviction', what: 'removed a', about: 'a', bytes: 5 }]);
    await appendFile(join(root, 'mesh', 'audit.jsonl'), '{"at":"x"}\nnot JSON\n');
    await noteDecisions(root, [{ event: 'refusal', what: 'refused b' }]);
    expect(await readDecisions(root)).toMatchObject([
      { event: 'refusal', what: 'refused b' },
      { event: 'eviction', about: 'a', bytes: 5 },
    ]);
  });

  it('is bounded, whatever other machines call their models', async () => {
    const root = await temporaryFolder();
    const about = 'n'.repeat(1_000_000);
    const entries = Array.from({ length: 300 }, () => ({ event: 'prefetch', what: 'w'.repeat(9000), about }) as const);
    for (let i = 0; i < 5; i++) await noteDecisions(root, entries);
    expect((await readdir(join(root, 'mesh'))).sort()).toEqual(['audit.1.jsonl', 'audit.jsonl']);
    expect((await stat(join(root, 'mesh', 'audit.jsonl'))).size).toBeLessThan(2 ** 20);
    expect((await readDecisions(root)).length).toBeGreaterThan(300);
  });
});
