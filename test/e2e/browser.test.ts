import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { CHROMIUM, NO_UDP, runPage } from '../support/browser/chromium.ts';
import type { PageTask } from '../support/browser/page.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import { importModel, openScene } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const MEGABYTES = 20;
const lab = useLab();

describeWith([CHROMIUM], 'a page in a browser', () => {
  it.each<[what: string, expected: string, lane: PageTask['lane'], flags: string[]]>([
    ['webrtc', 'webrtc', 'webrtc', []],
    ['the best lane there is', 'webrtc', 'auto', []],
    ['the relay', 'relay', 'relay', []],
    ['the relay where UDP is blocked', 'relay', 'auto', [NO_UDP]],
  ])(
    'lists the models of a worker and fetches one over %s',
    async (_, expected, lane, flags) => {
      const { worker, session } = await openScene(lab);
      const folder = join(await lab.folder(), 'model');
      await makeRandomFile(join(folder, 'weights.msgpack'), MEGABYTES * 1e6);
      await makeRandomFile(join(folder, 'extra.dat'), 1_000);
      const { id } = await importModel(worker, folder, 'big');
      const { models, files, lanes } = await runPage(lab, { session, ref: 'big', lane }, ...flags);
      expect(models).toEqual([id]);
      const sent = [...(await treeDigest(folder))].map(([path, { sha256 }]) => [path, sha256]);
      expect(files).toEqual(Object.fromEntries(sent));
      const bytesOf = (of: string) => lanes.reduce((sum, { kind, bytes }) => sum + (kind === of ? bytes : 0), 0);
      // Over the best lane there is, the relay may have come up first.
      expect(bytesOf(expected)).toBeGreaterThan(1e6);
      if (lane !== 'auto') expect(bytesOf(expected)).toBeGreaterThanOrEqual(MEGABYTES * 1e6 + 1_000);
    },
    120_000,
  );
});
