import { createMemoryLanes, createPeer, type Handlers, type Lane, type Peer } from '@model-rtc/transport/core';

export interface ConnectedPeers {
  readonly asker: Peer;
  readonly server: Peer;
  /** The asker's end of the lane between them. */
  readonly lane: Lane & { readonly faults: { cut(): void } };
  close(): Promise<void>;
}

/** Two peers over a lane in memory: a client that asks, and a worker with these handlers. */
export async function connectPeers(handlers: Handlers): Promise<ConnectedPeers> {
  const [lane, there] = createMemoryLanes();
  const authority = { scopes: ['read' as const] };
  const [asker, server] = await Promise.all([
    createPeer({ lane, hello: { role: 'client', name: 'asker', version: '1' }, authority, handlers: {} }),
    createPeer({ lane: there, hello: { role: 'worker', name: 'server', version: '1' }, authority, handlers }),
  ]);
  return {
    ...{ asker, server, lane },
    async close() {
      await asker.close();
      await server.close();
    },
  };
}
