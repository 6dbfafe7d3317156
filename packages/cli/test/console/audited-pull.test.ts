import { describe, expect, it } from '@jest/globals';
import type { ModelProgress, OnModelProgress, PullModelResult } from '@model-rtc/client';
import { readDecisions } from '@model-rtc/mesh';
import { ModelRtcError, silentLog } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { auditedPull } from '../../src/console/audited-pull.ts';

async function audited(pull: (onProgress: OnModelProgress) => Promise<PullModelResult>) {
  const home = await temporaryFolder();
  const done = await auditedPull({ home, log: silentLog }, { ref: 'mouse', by: 'pull-model' }, pull).catch(
    (error: ModelRtcError) => error,
  );
  return { done, decisions: await readDecisions(home) };
}

/** So much came from these. */
function progressOf(bytes: Readonly<Record<string, number>>): ModelProgress {
  const lanes = Object.entries(bytes).map(([source, each]) => ({ source, kind: 'direct', bytes: each }));
  return { type: 'transfer', state: 'transferring', lanes } as unknown as ModelProgress;
}

describe('the audit of a pull from a mesh', () => {
  it('says of one that failed how much came, and from whom', async () => {
    const { decisions } = await audited(async (onProgress) => {
      onProgress(progressOf({ anna: 100 }));
      onProgress({ type: 'source_changed', reason: 'It changed.' });
      onProgress(progressOf({ anna: 20, ben: 30, cleo: 0 }));
      throw new ModelRtcError('network', 'The line is cut.');
    });
    expect(decisions).toMatchObject([
      {
        event: 'download',
        what: 'could not fetch mouse from anna, ben: The line is cut.',
        about: 'mouse',
        bytes: 150,
        nodes: [
          { name: 'anna', bytes: 120 },
          { name: 'ben', bytes: 30 },
        ],
        by: 'pull-model',
      },
    ]);
  });

  it('has one entry for a decision: none for a refusal that is noted where it is made', async () => {
    const details = { setting: 'storage.cap', neededBytes: 9, capBytes: 5 };
    const { done, decisions } = await audited(async () => {
      throw new ModelRtcError('storage_full', 'There is no room.', { details });
    });
    expect(done).toMatchObject({ code: 'storage_full' });
    expect(decisions).toEqual([]);
  });
});
