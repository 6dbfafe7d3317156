import type { TransferJson } from './scene.ts';

/** What a command with --json writes while a transfer goes on, with some bytes of it carried by a lane of the kind. */
export function carrying(kind: 'direct' | 'webrtc' | 'relay'): RegExp {
  return new RegExp(`"state":"transferring"[^\\n]*"kind":"${kind}"[^}]*"bytes":[1-9]`);
}

/** The kinds of lanes that carried something of a finished pull. */
export function kindsOf({ workers }: Pick<TransferJson, 'workers'>): string[] {
  const carried = workers.flatMap(({ lanes }) => lanes).filter(({ bytes }) => bytes > 0);
  return [...new Set(carried.map(({ kind }) => kind))].sort();
}
