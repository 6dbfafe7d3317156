/** Later turns of the event loop. */
export interface Turns {
  /** Does the work in a later turn, after what was handed in before it. */
  readonly later: (work: () => void) => void;
  readonly close: () => void;
}

export function openTurns(): Turns {
  // Node has it. Messages to oneself would hold up the network there, since Node reads many of them in one turn.
  const { setImmediate } = globalThis as { readonly setImmediate?: (work: () => void) => unknown };
  if (setImmediate === undefined) return messageTurns();
  return { later: (work) => void setImmediate(work), close: () => {} };
}

/** One end of a MessageChannel, as browsers have it. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** Turns by messages to oneself: browsers delay timers that follow one another by 4 ms. */
export function messageTurns(): Turns {
  const { port1, port2 } = new MessageChannel() as unknown as { readonly port1: Port; readonly port2: Port };
  const work: (() => void)[] = [];
  port1.onmessage = () => work.shift()?.();
  return {
    later(next) {
      work.push(next);
      port2.postMessage(null);
    },
    close: () => port1.close(),
  };
}
