import { describe, expect, it } from '@jest/globals';
import { type Digest, silentLog } from '@model-rtc/protocol';
import { dataPaths, type RegistryEntry } from '@model-rtc/registry';
import type { RequestContext } from '@model-rtc/transport';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { readDecisions } from '../../src/index.ts';
import { VisitorAudit } from '../../src/node/visitor-audit.ts';

const HERE = 'a'.repeat(64) as Digest;
const ELSEWHERE = 'b'.repeat(64) as Digest;
const member = { key: 'c'.repeat(64), name: 'cleo' };

async function openAudit() {
  const root = await temporaryFolder();
  const find = async (digest: Digest) =>
    digest === HERE ? ({ id: '4f1c22ab', alias: 'mouse' } as RegistryEntry) : undefined;
  const registry = { paths: dataPaths(root), find };
  return { root, audit: new VisitorAudit({ registry, log: silentLog, clock: { nowMs: () => 0 } }) };
}

describe('the audit of who visits the worker', () => {
  it('has once what a member says that it fetched, of the models that are here', async () => {
    const { root, audit } = await openAudit();
    let answered = 0;
    const ordinary = {
      report_installed: async () => {
        answered += 1;
        return {};
      },
    };
    const { report_installed: report } = audit.noting(ordinary, { mesh: 'lab', member });
    const context = {} as RequestContext<'report_installed'>;
    for (const digest of [HERE, HERE, ELSEWHERE]) await report?.({ digest }, context);
    expect(answered).toBe(3);
    expect(await readDecisions(root)).toEqual([
      {
        ...{ at: expect.any(String), event: 'download', about: HERE, by: member.key },
        what: 'cleo (cccccccc) of the mesh lab fetched mouse, and says that it has it',
      },
    ]);
  });

  it('has once a former member that comes again and again', async () => {
    const { root, audit } = await openAudit();
    for (let i = 0; i < 5; i++) await audit.refusedMember('lab', member.key);
    expect(await readDecisions(root)).toMatchObject([
      { event: 'refusal', about: member.key, what: expect.stringContaining('no member of the mesh lab any more') },
    ]);
  });

  it('has nothing of visitors that were never members', async () => {
    const { root, audit } = await openAudit();
    await audit.refused('lab', [new Uint8Array([1, 2, 3])], () => true);
    expect(await readDecisions(root)).toEqual([]);
  });
});
