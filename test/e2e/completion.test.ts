import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { REPOSITORY } from '../repository/workspaces.ts';
import { machineEnvironment } from '../support/machine.ts';
import { program } from '../support/requirements.ts';
import { describeWith, useLab } from '../support/suites.ts';

const lab = useLab();
const SHELLS = {
  bash: {
    command: 'bash --norc --noprofile -i',
    setUp: `bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; PS1='> '; eval "$(model-rtc completion bash)"`,
  },
  zsh: {
    command: 'zsh -f -i',
    setUp: `unsetopt beep; unset zle_bracketed_paste; PS1='> '; autoload -Uz compinit; compinit -D; eval "$(model-rtc completion zsh)"`,
  },
} as const;

/** What is typed before Tab, and what the line ends with afterwards. */
const LINES: readonly (readonly [typed: string, completed: string])[] = [
  ['model-rtc cl', 'model-rtc client '],
  ['model-rtc client pull-m', 'client pull-model '],
  ['model-rtc client push-model g', 'push-model good-mouse-v1 '],
  ['model-rtc client update-model --notes "a b" g', '"a b" good-mouse-v1 '],
  ['model-rtc client push-model x --worker l', '--worker lab '],
  ['model-rtc client push-model x --worker @se', '--worker @session.txt '],
  ['model-rtc client list-models --sort', 'list-models --sort-by '],
  ['model-rtc client list-models --sort-by=d', '--sort-by=date '],
  ['model-rtc worker --watch ru', '--watch runs/'],
  ['model-rtc models pull fast-', 'models pull fast-whisper/tiny '],
  ['model-rtc models pull fast-whisper/tiny la', 'fast-whisper/tiny latest '],
];

/** A terminal with a shell in it. */
class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  #text = '';

  constructor(command: string, options: { cwd: string; env: NodeJS.ProcessEnv }) {
    const args = ['--quiet', '--flush', '--command', `stty cols 200; exec ${command}`, '/dev/null'];
    this.#child = spawn('script', args, options);
    this.#child.stdout.on('data', (data: Buffer) => {
      this.#text += data.toString();
    });
  }

  /** Types, and waits until what is shown from then on ends so. */
  async type(keys: string, end: string): Promise<void> {
    this.#text = '';
    this.#child.stdin.write(keys);
    for (let tries = 0; tries < 600; tries++) {
      if (shown(this.#text).endsWith(end)) return;
      await delay(50);
    }
    throw new Error(`After ${JSON.stringify(keys)} the terminal shows ${JSON.stringify(shown(this.#text))}`);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** Text as it stands on a screen: a backspace takes back a character. */
function shown(text: string): string {
  let line = '';
  for (const character of text) line = character === '\b' ? line.slice(0, -1) : line + character;
  return line.replaceAll('\r', '');
}

let terminal: Terminal | undefined;

async function openTerminal(command: string, home: string): Promise<Terminal> {
  const folder = await lab.folder();
  const bin = await lab.folder();
  await symlink(join(REPOSITORY, 'packages/cli/model-rtc.js'), join(bin, 'model-rtc'));
  await writeFile(join(folder, 'session.txt'), '');
  await mkdir(join(folder, 'runs'));
  const env = machineEnvironment(process.env, { folder, home, env: { TERM: 'dumb' } });
  terminal = new Terminal(command, {
    cwd: folder,
    env: { ...env, PATH: [bin, process.env.PATH].join(delimiter) },
  });
  return terminal;
}

afterEach(async () => await terminal?.close());

describe.each(Object.entries(SHELLS))('completion in %s', (name, { command, setUp }) => {
  describeWith([program('script', 'bsdutils'), program(name, name)], 'typed at a terminal', () => {
    it('knows commands, options, values, models, saved workers and paths', async () => {
      const machine = await lab.machine('laptop');
      const model = join(REPOSITORY, 'packages/cli/demo-model/good-mouse-v1');
      await machine.succeed(['client', 'import-model', model, '--yes']);
      await writeFile(join(machine.home, 'config.json'), JSON.stringify({ workers: { lab: {} } }));
      await mkdir(join(machine.home, 'registries'));
      const text = JSON.stringify({ 'fast-whisper': { tiny: { latest: { alias: 'fp16' } } } });
      await writeFile(join(machine.home, 'registries/a.json'), JSON.stringify({ url: 'u', etag: 'e', text }));
      const shell = await openTerminal(command, machine.home);
      await shell.type(`${setUp}\n`, '> ');
      for (const [typed, completed] of LINES) {
        await shell.type(`${typed}\t`, completed);
        await shell.type('\u0015', '');
      }
    });

    it('adds nothing to the line where the registry is damaged or absent', async () => {
      const home = await lab.folder();
      await mkdir(join(home, 'models'));
      for (const damage of [undefined, '{"models": {']) {
        if (damage !== undefined) await writeFile(join(home, 'models/registry.json'), damage);
        const shell = await openTerminal(command, home);
        await shell.type(`${setUp}\n`, '> ');
        // The text after Tab comes when the completion is done.
        await shell.type('model-rtc client model-info \t--js', 'model-rtc client model-info --js');
        await shell.type('\t', 'on ');
        await shell.close();
      }
      expect(terminal).toBeDefined();
    });
  });
});
