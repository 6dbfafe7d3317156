import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, ProgressEvents } from '@model-rtc/protocol';
import { MODELS_COMMANDS, type ModelManager, type ModelsContext } from '../src/index.ts';
import { LARGER, registryScene } from './support/registry-scene.ts';

class Console {
  readonly results: string[] = [];
  readonly data: object[] = [];
  error = '';
  /** What is written with --json while work goes on. */
  readonly told: Record<string, unknown>[] = [];
  readonly #manager: ModelManager;
  readonly #answer: boolean | undefined;

  constructor(manager: ModelManager, answer?: boolean) {
    this.#manager = manager;
    this.#answer = answer;
  }

  /** What the command prints as its result, or the code of its error. */
  async run(line: string, options: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const [name, model, modelVersion] = line.split(' ');
    const command = MODELS_COMMANDS.find(({ usage }) => usage.split(' ')[0] === name);
    const context: ModelsContext = {
      ...{ program: 'mytool models', env: {}, json: false, quiet: false, signal: new AbortController().signal },
      events: new ProgressEvents(
        (event) => this.told.push({ ...event }),
        () => 0,
      ),
      stderr: { write: (text) => (this.error += text) },
      manager: async () => this.#manager,
      result: (data, text) => {
        this.data.push(data);
        this.results.push(text);
      },
      confirm: async (question) => {
        if (this.#answer !== undefined) return this.#answer;
        throw new ModelRtcError('bad_argument', `${question} Pass --yes.`);
      },
      sessions: async (texts) => texts,
    };
    try {
      await command?.run(context, { model, modelVersion, ...options } as never);
      return this.results.at(-1) ?? '';
    } catch (error) {
      return ModelRtcError.from(error).code;
    }
  }
}

describe('the commands', () => {
  it('install, list, find and remove a model, in the words that are documented', async () => {
    const scene = await registryScene();
    const shell = new Console(await scene.manager());
    expect(await shell.run('list')).toContain('mytool models list --remote');
    const installed = await shell.run('pull fast-whisper/tiny fp16');
    expect(installed).toMatch(/^Model installed: fast-whisper\/tiny fp16 \(3\.1 MB\)\nPath: \/.*$/);
    expect(shell.error).toBe('Fetching manifest... done\nDownloading: 4/4 chunks [====================] 100% 3.1 MB\n');
    const path = await shell.run('path fast-whisper/tiny fp16');
    expect(installed.endsWith(`\nPath: ${path}`)).toBe(true);
    expect(await shell.run('list')).toMatch(
      /^GROUP {10}MODEL {3}VERSION {3}SIZE {5}INSTALLED\nfast-whisper {3}tiny {4}fp16 {6}3\.1 MB {3}\d{4}-\d\d-\d\d$/,
    );
    expect(await shell.run('pull fast-whisper/tiny fp16')).toMatch(/^Already installed: .* --force/);
    expect(await shell.run('info fast-whisper/tiny fp16')).toContain('License:');
    expect(await shell.run('info fast-whisper/tiny fp16', { remote: true })).toContain('model.bin');
    expect(await shell.run('remove fast-whisper/tiny')).toBe('bad_argument');
    expect(await new Console(await scene.manager(), false).run('remove fast-whisper/tiny')).toBe('not_found_locally');
    expect(await shell.run('remove fast-whisper/tiny', { yes: true })).toMatch(/^Removed fast-whisper\/tiny fp16/);
    expect(await shell.run('path fast-whisper/tiny fp16')).toBe('not_found_locally');
    expect(await shell.run('prune')).toMatch(/^(Nothing|Removed 0 interrupted pulls)/);
  });

  it('bring updates of aliases, and say what was and what is', async () => {
    const scene = await registryScene();
    await scene.alias('latest', 'fp16');
    const shell = new Console(await scene.manager());
    await shell.run('pull fast-whisper/tiny latest');
    expect(await shell.run('update')).toBe('Everything is up to date.');
    await scene.publish(['fast-whisper', 'tiny', 'fp32'], LARGER);
    await scene.alias('latest', 'fp32');
    expect(await shell.run('update')).toMatch(/latest +fp16 -> fp32\nInstall: mytool models update --apply$/);
    expect(await shell.run('update', { apply: true })).toBe('Updated fast-whisper/tiny latest: fp16 -> fp32');
    expect(await shell.run('list', { remote: true })).toContain('latest -> fp32');
    expect(await shell.run('remove fast-whisper/tiny', { yes: true })).toBe('bad_argument');
    expect(await shell.run('remove fast-whisper/tiny', { yes: true, all: true })).toContain('(2 versions)');
  });

  it('say what stays when one of two names of a content is removed, and that nothing does after the second', async () => {
    const scene = await registryScene();
    await scene.publish(['fast-whisper', 'tiny', 'same']);
    const shell = new Console(await scene.manager());
    for (const version of ['fp16', 'same']) await shell.run(`pull fast-whisper/tiny ${version}`);
    expect(await shell.run('remove fast-whisper/tiny fp16', { yes: true })).toMatch(/0 B freed\. Files stay/);
    await shell.run('pull fast-whisper/tiny fp16');
    expect(await shell.run('remove fast-whisper/tiny', { yes: true, all: true })).toMatch(/3\.1 MB freed\.$/);
  });

  it('tell programs how far they are, in events like those of other commands', async () => {
    const scene = await registryScene();
    const shell = new Console(await scene.manager());
    await shell.run('pull fast-whisper/tiny fp16');
    const states = shell.told.map(({ state }) => state);
    expect([states[0], states[1]]).toEqual(['idle', 'connecting']);
    expect(states).toEqual(expect.arrayContaining(['preparing', 'transferring', 'verifying']));
    for (const { event, doneBytes, totalBytes, ...more } of shell.told) {
      expect({ event, types: [typeof doneBytes, typeof totalBytes] }).toEqual({
        event: 'progress',
        types: ['number', 'number'],
      });
      if (typeof more.transferredBytes !== 'number') continue;
      expect(more.transferredBytes + Number(more.reusedBytes) + Number(more.resumedBytes)).toBe(doneBytes);
    }
    expect(shell.told.at(-1)).toMatchObject({ doneBytes: 3145757, totalBytes: 3145757, totalChunks: 4 });
    expect(await shell.run('pull fast-whisper/tiny fp16')).toMatch(/^Already installed/);
  });

  it('show names of a registry without what a terminal would obey', async () => {
    const scene = await registryScene();
    await scene.changeList((list) => {
      list['\u001b]0;x\u0007'] = { m: { v: { alias: 'w' } } };
      list.lab = { mouse: { '1': { alias: '2\u001b[2J' } } };
    });
    const listed = await new Console(await scene.manager()).run('list', { remote: true });
    expect(listed).toContain('lab');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(listed).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
