import { describe, expect, it } from '@jest/globals';
import { openHub } from '@model-rtc/hub';
import type { Digest } from '@model-rtc/protocol';
import { sha256Of } from '../../../../test/support/hub/contents.ts';
import { type LocalHub, startHub } from '../../../../test/support/hub/local-hub.ts';
import { digestOf } from '../../../../test/support/registry-folder.ts';
import { HUB_BYTES, HUB_FILES, hubProvider, pullFromHub } from '../support/hub-lab.ts';
import { ChunkHold, type Lab, openLab, seededBytes } from '../support/lab.ts';

interface Scene {
  readonly hub: LocalHub;
  readonly lab: Lab;
  readonly hold: ChunkHold;
}

/** A client that has the hub's model from there, and gives few chunks of it; a worker whose owner lets it ask the hub, or not. */
async function scene(mayAsk = true, endpoint?: string): Promise<Scene> {
  const hub = await startHub();
  hub.tokens.add('hf_owner');
  hub.addModel('lab/mouse', { files: HUB_FILES });
  const hold = new ChunkHold(2);
  const env = { HF_ENDPOINT: endpoint ?? hub.url, HF_TOKEN: 'hf_owner' };
  const lab = await openLab({
    clientHold: hold,
    ...(mayAsk ? { hub: openHub({ env, isAnonymous: true }) } : {}),
  });
  await pullFromHub([await hubProvider(hub)], { here: lab.here });
  hub.asked.length = 0;
  return { hub, lab, hold };
}

async function expectWhole({ there }: Lab): Promise<void> {
  expect(await there.verify(digestOf(HUB_FILES) as Digest)).toMatchObject({ state: 'sound' });
}

describe('a pushed model that came from a hub', () => {
  it('is fetched by the worker from there, where the client is slower, and without an access token', async () => {
    const { hub, lab, hold } = await scene();
    hub.fault = ({ at }) => {
      // The client has begun by then, and gives the rest when the hub has given its part.
      if (at === 'storage' && hub.asked.filter((asked) => asked.at === 'storage').length > 3) hold.release();
      return false;
    };
    const pushed = await lab.client.pushModel('lab/mouse');
    expect(pushed).toMatchObject({ outcome: 'pushed', transferredBytes: HUB_BYTES });
    expect(pushed.hubBytes).toBeGreaterThan(0);
    expect(hub.asked.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    await expectWhole(lab);
  });

  it.each([
    ["the worker's owner", false, true],
    ['the person who pushes', true, false],
  ])('comes from the client alone where %s wants that', async (_who, mayAsk, fromHub) => {
    const { hub, lab, hold } = await scene(mayAsk);
    hold.release();
    const pushed = await lab.client.pushModel('lab/mouse', { fromHub });
    expect([pushed.transferredBytes, pushed.hubBytes]).toEqual([HUB_BYTES, undefined]);
    expect(hub.asked).toEqual([]);
    await expectWhole(lab);
  });

  it('comes from the client alone where it is of another hub than the worker has', async () => {
    const other = await startHub();
    other.addModel('lab/mouse', { files: HUB_FILES });
    const { hub, lab, hold } = await scene(true, other.url);
    hold.release();
    expect((await lab.client.pushModel('lab/mouse')).hubBytes).toBeUndefined();
    expect([hub.asked, other.asked]).toEqual([[], []]);
    await expectWhole(lab);
  });

  it('is what the client has, whatever the hub has under that name', async () => {
    const { hub, lab, hold } = await scene();
    let wrong = 0;
    hub.fault = ({ at, url, range }, response) => {
      const bytes = Object.values(HUB_FILES).find((one) => url.includes(sha256Of(one)));
      if (at !== 'storage' || bytes === undefined) return false;
      const [from = 0, to = 0] = (range ?? '').slice('bytes='.length).split('-').map(Number);
      response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}` });
      return response.end(seededBytes(to + 1 - from, wrong++)) !== undefined;
    };
    const pushing = lab.client.pushModel('lab/mouse');
    setTimeout(() => hold.release(), 500);
    expect((await pushing).outcome).toBe('pushed');
    expect(wrong).toBeGreaterThan(0);
    await expectWhole(lab);
  });

  it('comes from the client where the hub does not answer', async () => {
    const { hub, lab, hold } = await scene();
    await hub.close();
    hold.release();
    expect((await lab.client.pushModel('lab/mouse')).outcome).toBe('pushed');
    await expectWhole(lab);
  });
});
