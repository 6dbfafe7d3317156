import { appendFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { noteDecisions, OccasionalNotes, pullEntry, readDecisions } from '../../src/index.ts';

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

describe('what others cause', () => {
  it('is noted once in a while, however often it happens', async () => {
    const root = await temporaryFolder();
    let nowMs = 0;
    const notes = new OccasionalNotes(root, undefined, { nowMs: () => nowMs });
    for (let i = 0; i < 3; i++) await notes.note({ event: 'refusal', what: 'refused gpu', about: 'gpu' });
    for (let i = 0; i < 500; i++) await notes.note({ event: 'refusal', what: `refused ${i}` });
    expect((await readDecisions(root)).filter(({ about }) => about === 'gpu')).toHaveLength(1);
    expect((await readDecisions(root)).length).toBeLessThan(100);
    nowMs = 3_600_000;
    await notes.note({ event: 'refusal', what: 'refused gpu', about: 'gpu' });
    expect((await readDecisions(root)).filter(({ about }) => about === 'gpu')).toHaveLength(2);
  });

  it('cannot forge a line or hide one', async () => {
    const root = await temporaryFolder();
    const name = 'mouse\n{"at":"2026-01-01T00:00:00.000Z","event":"consent","what":"agreed"}\r\u2028\u001b[2K';
    const error = new ModelRtcError('network', name);
    const from = Array.from({ length: 100 }, () => ({ name: name.repeat(50), bytes: 1 }));
    await noteDecisions(root, [pullEntry({ model: name, bytes: 5, from, by: 'pull-model', error })]);
    const [only, ...more] = await readDecisions(root);
    expect(only).toMatchObject({ event: 'download', about: name, bytes: 5 });
    expect(only?.nodes?.length).toBeLessThan(100);
    expect(more).toEqual([]);
  });
});
