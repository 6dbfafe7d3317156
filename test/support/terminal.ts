import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Machine, machineEnvironment } from './machine.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/bin/main.js', import.meta.url));
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
const CONTROLS = /\u001b\[[0-9;?]*[A-Za-z]|\u001b[=>]|[\u0007\r]/g;

/** A model-rtc command at a terminal, which a person answers. Needs `script` of bsdutils. */
export class TerminalCommand {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number>;
  #text = '';
  #readTo = 0;

  constructor(machine: Machine, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const words = [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    const command = `stty cols 240; exec ${words.join(' ')}`;
    this.#child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
      cwd: machine.folder,
      env: machineEnvironment(process.env, { ...machine, env: { TERM: 'xterm', ...env } }),
    });
    this.#child.stdout.on('data', (data: Buffer) => {
      this.#text += data.toString();
    });
    this.#ended = once(this.#child, 'exit').then(([code]) => code as number);
  }

  /** Everything that it showed so far, without colours and movements. */
  get shown(): string {
    return this.#text.replaceAll(CONTROLS, '');
  }

  /** Waits until it shows a text behind what was waited for before. */
  async waitFor(text: string): Promise<void> {
    for (let tries = 0; tries < 1200; tries++) {
      const at = this.shown.indexOf(text, this.#readTo);
      if (at !== -1) {
        this.#readTo = at + text.length;
        return;
      }
      await delay(50);
    }
    throw new Error(`The terminal does not show ${JSON.stringify(text)} but ${JSON.stringify(this.shown)}`);
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** @returns the exit code */
  async end(): Promise<number> {
    return await this.#ended;
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
