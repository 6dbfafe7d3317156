import { afterEach } from '@jest/globals';
import { LocalHub } from './hub-server.ts';

export { LocalHub } from './hub-server.ts';

const hubs: LocalHub[] = [];

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
});

/** Starts a hub that ends with the test. */
export async function startHub(): Promise<LocalHub> {
  const hub = new LocalHub();
  await hub.start();
  hubs.push(hub);
  return hub;
}
