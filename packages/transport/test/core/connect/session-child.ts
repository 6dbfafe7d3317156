import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encodeSessionToken, identityFromSeed, type SessionToken } from '@model-rtc/protocol';
import type { IssuedToken, Order, Report } from './session-process.ts';

/** A process of session-process.ts, as the test talks to it. */
export class SessionChild {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;

  constructor() {
    const script = fileURLToPath(new URL('./session-process.ts', import.meta.url));
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#process = fork(script, { execArgv: ['--import', 'tsx', '--conditions=@model-rtc/source'], env });
    this.#process.on('message', ({ id, error, value }: Report) => {
      const order = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) order?.resolve(value);
      else order?.reject(Object.assign(new Error(error.message), { code: error.code }));
    });
    this.#process.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the process ended with ${code}`));
    });
  }

  /** What the order gives; an error has the code of the ModelRtcError there. */
  async tell<T = undefined>(order: Order): Promise<T> {
    const id = ++this.#lastId;
    return await new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#process.send({ id, order });
    });
  }

  /** Tells until the value is what the test waits for. */
  async until<T>(order: Order, holds: (value: T) => boolean): Promise<T> {
    for (;;) {
      const value = await this.tell<T>(order);
      if (holds(value)) return value;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await exited;
  }
}

export const SEED = 7;
export const GOOD: IssuedToken = { keyId: '11'.repeat(8), secret: 'aa'.repeat(16), scopes: ['read'] };

/** The token that a worker issued, for a signaling server at this port. */
export function tokenOf(issued: IssuedToken, port: number, more: Partial<SessionToken> = {}): SessionToken {
  return {
    urls: [`ws://127.0.0.1:${port}`],
    workerKey: identityFromSeed(new Uint8Array(32).fill(SEED)).publicKey,
    keyId: Buffer.from(issued.keyId, 'hex'),
    secret: Buffer.from(issued.secret, 'hex'),
    scopes: issued.scopes,
    expiresAt: undefined,
    ...more,
  };
}

export function tokenText(issued: IssuedToken, port: number): string {
  return encodeSessionToken(tokenOf(issued, port));
}
