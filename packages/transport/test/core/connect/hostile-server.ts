import { WebSocket, WebSocketServer } from 'ws';

/** What a hostile server does to what it passes on. Each gives what goes on instead: nothing, one or several payloads. */
export interface Attack {
  toWorker?(payload: Uint8Array): readonly Uint8Array[];
  toVisitor?(payload: Uint8Array): readonly Uint8Array[];
}

export interface HostileServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A signaling server for visitors that passes everything on to a true one, but for the payloads. */
export async function startHostileServer(truePort: number, beginAttack: () => Attack): Promise<HostileServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (visitor, request) => {
    const upstream = new WebSocket(`ws://127.0.0.1:${truePort}${request.url ?? '/'}`);
    const { toWorker, toVisitor } = beginAttack();
    const early: string[] = [];
    const pass = (text: string) => {
      if (upstream.readyState === WebSocket.OPEN) upstream.send(text);
      else early.push(text);
    };
    upstream.on('open', () => {
      for (const text of early) upstream.send(text);
    });
    visitor.on('message', (data) => each(String(data), 'send', toWorker, pass));
    upstream.on('message', (data) => each(String(data), 'from', toVisitor, (text) => visitor.send(text)));
    visitor.on('close', () => upstream.terminate());
    upstream.on('close', () => visitor.close());
    upstream.on('error', () => visitor.terminate());
    visitor.on('error', () => upstream.terminate());
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}

function each(
  text: string,
  type: 'send' | 'from',
  change: ((payload: Uint8Array) => readonly Uint8Array[]) | undefined,
  pass: (text: string) => void,
): void {
  const message = JSON.parse(text) as { type: string; payload?: string };
  if (message.type !== type || message.payload === undefined || change === undefined) {
    pass(text);
    return;
  }
  for (const payload of change(Buffer.from(message.payload, 'base64url'))) {
    pass(JSON.stringify({ ...message, payload: Buffer.from(payload).toString('base64url') }));
  }
}
