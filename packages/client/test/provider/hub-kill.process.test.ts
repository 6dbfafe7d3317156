import { expect, it } from '@jest/globals';
import { sha256Of } from '../../../../test/support/hub/contents.ts';
import { startHub } from '../../../../test/support/hub/local-hub.ts';
import { digestOf } from '../../../../test/support/registry-folder.ts';
import { type Child, startChild } from '../../../../test/support/script-child.ts';
import { HUB_BYTES, HUB_FILES } from '../support/hub-lab.ts';
import { atEnd, openTestRegistry, temporaryFolder } from '../support/lab.ts';

/** A file that takes several requests is begun before the kill. */
const REQUEST_BYTES = 4 * 1024 * 1024;
const CHILD = new URL('../children/hub-child.ts', import.meta.url);

it('a download from a hub ends whole after a kill at each of its files', async () => {
  const hub = await startHub();
  hub.addModel('lab/mouse', { files: HUB_FILES });
  const home = await temporaryFolder();
  const start = (): Child => {
    const child = startChild(CHILD, [home, hub.url]);
    atEnd(() => child.process.kill('SIGKILL'));
    return child;
  };
  const paths = Object.entries(HUB_FILES).filter(([, { length }]) => length > 0);
  const ends: (string | null)[] = [];
  for (const [path, bytes] of paths) {
    const isLarge = bytes.length >= 1024;
    let kill = (): void => {};
    hub.fault = ({ at, url }, _response, times) => {
      const isThis = isLarge ? at === 'storage' && url.includes(sha256Of(bytes)) : url.endsWith(path);
      if (!isThis || times < (bytes.length > REQUEST_BYTES ? 2 : 1)) return false;
      kill();
      return new Promise(() => {});
    };
    hub.asked.length = 0;
    const child = start();
    kill = () => child.process.kill('SIGKILL');
    ends.push((await child.ended).signal);
  }
  expect(ends.filter((signal) => signal === 'SIGKILL').length).toBeGreaterThanOrEqual(2);
  hub.fault = () => false;
  const { code, output } = await start().ended;
  expect({ code, output }).toMatchObject({ code: 0 });
  const done = JSON.parse(output.slice(output.indexOf('done ') + 5)) as Record<string, unknown>;
  expect(done.digest).toBe(digestOf(HUB_FILES));
  expect(Number(done.transferredBytes)).toBeLessThan(HUB_BYTES);
  const registry = await openTestRegistry(home);
  expect(await registry.verify(digestOf(HUB_FILES))).toMatchObject({ state: 'sound' });
});
