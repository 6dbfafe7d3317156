import { afterEach, describe, expect, it } from '@jest/globals';
import { identityFromSeed, roomOf } from '@model-rtc/protocol';
import { joinAsWorker, startSignalingServer, visit, type WorkerRegistration } from '../../src/index.ts';
import { failureOf, until } from '../support/until.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(6));
const room = roomOf(identity.publicKey);
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanup.splice(0).map((task) => task()));
});

async function start(options: { readonly takesAnyHost?: boolean } = {}): Promise<string> {
  const server = await startSignalingServer({ ...options, host: '127.0.0.1', port: 0 });
  cleanup.push(() => server.close());
  return `ws://127.0.0.1:${server.port}`;
}

const online = (registration: WorkerRegistration) =>
  registration.states().flatMap(({ url, state }) => (state === 'online' ? [url] : []));

describe('a worker whose signaling servers change', () => {
  it('is found at a new one, stays where it was, and leaves one that is taken off', async () => {
    const [first, second] = [await start(), await start()];
    const registration = joinAsWorker({ urls: [first], identity });
    cleanup.push(() => registration.close());
    await registration.whenOnline();
    registration.setUrls([first, second]);
    await until(() => online(registration).length === 2);
    for (const url of [first, second]) (await visit({ urls: [url], room })).close();
    registration.setUrls([second]);
    await until(() => online(registration).join() === second);
    expect((await failureOf(visit({ urls: [first], room }))).code).toBe('worker_offline');
    (await visit({ urls: [second], room })).close();
  });

  it('changes nothing for an address that is none', async () => {
    const first = await start();
    const registration = joinAsWorker({ urls: [first], identity });
    cleanup.push(() => registration.close());
    await registration.whenOnline();
    expect(() => registration.setUrls(['http://no'])).toThrow();
    expect(online(registration)).toEqual([first]);
  });

  it('has a server of its own besides, which takes no signature for any host', async () => {
    const [other, own] = [await start(), await start({ takesAnyHost: false })];
    const registration = joinAsWorker({ urls: [other], identity });
    cleanup.push(() => registration.close());
    await registration.whenOnline();
    registration.setUrls([other, own], own);
    await until(() => online(registration).length === 2);
    const alone = joinAsWorker({ urls: [own], identity: identityFromSeed(new Uint8Array(32).fill(7)) });
    cleanup.push(() => alone.close());
    await until(() => alone.states()[0]?.error !== undefined);
    expect(online(alone)).toEqual([]);
  });
});
