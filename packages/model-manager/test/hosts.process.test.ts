import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../test/support/registry-folder.ts';
import { startChild } from '../../../test/support/script-child.ts';
import { ModelManager } from '../src/index.ts';
import { registryScene } from './support/registry-scene.ts';

const HOST = new URL('./children/host.ts', import.meta.url);
const LOADED = new URL('./children/loaded.ts', import.meta.url);

describe.each(['yargs', 'commander'])('a program with the commands by %s', (parser) => {
  it('installs and finds a model, and ends with the codes of the command line', async () => {
    const scene = await registryScene();
    const home = join(await temporaryFolder(), 'home');
    const run = async (...args: string[]) =>
      await startChild(HOST, [parser, scene.server.url, home, 'models', ...args]).ended;
    expect(await run('pull', 'fast-whisper/tiny', 'fp16')).toMatchObject({
      code: 0,
      output: expect.stringContaining('Model installed: fast-whisper/tiny fp16'),
    });
    expect(await run('pull', 'fast-whisper/tiny', 'fp16')).toMatchObject({
      code: 0,
      output: expect.stringContaining('--force'),
    });
    const path = await run('path', 'fast-whisper/tiny', 'fp16');
    expect(path.output.trim().startsWith(join(home, 'models'))).toBe(true);
    expect(JSON.parse((await run('list', '--json')).output)).toMatchObject({ models: [{ version: 'fp16' }] });
    expect(await run('pull', 'fast-whisper/tiny', 'fp8')).toMatchObject({ code: 3 });
    expect(await run('path', 'fast-whisper/tiny', 'fp8')).toMatchObject({ code: 4 });
    expect(await run('list', '--remote', '--registry', 'http://127.0.0.1:1')).toMatchObject({ code: 5 });
    expect(await run('pull', 'fast-whisper/tiny')).toMatchObject({ code: 2 });
    expect(await run('list', '--nonsense')).toMatchObject({ code: 2 });
    expect(await run('remove', 'fast-whisper/tiny')).toMatchObject({
      code: 2,
      output: expect.stringContaining('--yes'),
    });
    expect(await run('remove', 'fast-whisper/tiny', '-y')).toMatchObject({ code: 0 });
  });
});

describe('the keys that a program brings', () => {
  it('count for its own registry, whatever is pinned, and not for another one', async () => {
    const [scene, other] = [await registryScene(), await registryScene()];
    const home = join(await temporaryFolder(), 'home');
    const start = async (keys: string | undefined, ...args: string[]) => {
      const env = keys === undefined ? {} : { HOST_TRUST_KEYS: keys };
      return await startChild(HOST, ['commander', scene.server.url, home, 'models', ...args], env).ended;
    };
    const key = '00'.repeat(32);
    expect(await start(key, 'list', '--remote')).toMatchObject({
      code: 6,
      output: expect.stringContaining('is not signed, and a key is pinned for it'),
    });
    expect(await start(key, 'list', '--remote', '--registry', other.server.url)).toMatchObject({ code: 0 });
    expect(await start(undefined, 'list', '--remote')).toMatchObject({ code: 0 });
    expect(await start(undefined, 'list', '--remote', '--trust-key', 'x')).toMatchObject({ code: 2 });
    expect(await start(undefined, 'list', '--remote', '--trust-key', key)).toMatchObject({ code: 6 });
    expect(await start(undefined, 'trust')).toMatchObject({ code: 0, output: 'No keys are pinned.\n' });
  });
});

describe("a registry of one's own", () => {
  it('is published to a folder, served, and installed from on another machine', async () => {
    const scene = await registryScene();
    const [home, elsewhere, to] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
    const at = (folder: string, ...args: string[]) =>
      startChild(HOST, ['yargs', scene.server.url, folder, 'models', ...args]);
    await at(home, 'pull', 'fast-whisper/tiny', 'fp16').ended;
    const publish = ['publish', 'fast-whisper/tiny@fp16', 'mice/good', '1.0', '--to', to, '--alias', 'latest'];
    expect(await at(home, ...publish, '--chunk-size', '1MiB').ended).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Published: mice\/good 1\.0 \(3\.1 MB in 4 chunks/),
    });
    const events = (await at(home, ...publish, '--chunk-size', '1MiB', '--prune', '--json').ended).output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(0)).toMatchObject({ event: 'progress', state: 'idle' });
    expect(events.at(-2)).toMatchObject({ event: 'progress', state: 'completed', lanes: [] });
    expect(events.at(-1)).toMatchObject({ event: 'result', isNew: false, pruned: { removedFiles: 0 } });
    expect(await at(home, ...publish, '--chunk-size', 'x').ended).toMatchObject({ code: 2 });
    expect(await at(home, 'publish', 'fast-whisper/tiny@fp16', 'mice/good', '1.0').ended).toMatchObject({
      code: 2,
      output: expect.stringContaining('--to FOLDER'),
    });
    const serving = at(home, 'serve', to, '--port', '0', '--host', '127.0.0.1');
    await serving.saw('--registry http://127.0.0.1:');
    const [, url] = /--registry (http:\S+), or/.exec(serving.written) ?? [];
    const pulled = await at(elsewhere, 'pull', 'mice/good', 'latest', '--registry', url ?? '').ended;
    expect(pulled).toMatchObject({
      code: 0,
      output: expect.stringContaining('Model installed: mice/good 1.0 (latest)'),
    });
    serving.process.kill('SIGINT');
    expect(await serving.ended).toMatchObject({ code: 0 });
  });
});

describe('two processes', () => {
  it('that pull one model at the same time both have it, and fetch it once', async () => {
    const scene = await registryScene();
    const home = join(await temporaryFolder(), 'home');
    const pull = () =>
      startChild(HOST, ['yargs', scene.server.url, home, 'models', 'pull', 'fast-whisper/tiny', 'fp16']).ended;
    expect((await Promise.all([pull(), pull()])).map(({ code }) => code)).toEqual([0, 0]);
    const chunks = scene.server.asked.filter(({ range }) => range !== undefined).map(({ path }) => path);
    expect(chunks).toHaveLength(new Set(chunks).size);
  });

  it('leave nothing half-done when one is killed in the middle, and the next goes on from there', async () => {
    const scene = await registryScene();
    const dataDir = join(await temporaryFolder(), 'home');
    const held: (() => void)[] = [];
    let chunks = 0;
    scene.server.misbehave = async ({ range }) => {
      if (range !== undefined && ++chunks > 2) await new Promise<void>((resolve) => held.push(resolve));
      return false;
    };
    const args = ['yargs', scene.server.url, dataDir, 'models', 'pull', 'fast-whisper/tiny', 'fp16'];
    const child = startChild(HOST, args);
    const manager = new ModelManager({ appName: 'mytool', registryUrl: scene.server.url, dataDir });
    while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await manager.listInstalled()).toEqual([]);
    scene.server.misbehave = () => false;
    for (const release of held) release();
    const { model } = await manager.pull('fast-whisper/tiny@fp16');
    expect(model.isWhole).toBe(true);
  });
});

describe('importing the library, and a pull from a registry', () => {
  it('load no WebRTC, and nothing that is for buckets', async () => {
    const scene = await registryScene();
    const home = join(await temporaryFolder(), 'home');
    const { output, code } = await startChild(LOADED, [scene.server.url, home]).ended;
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const loaded = JSON.parse(output) as string[];
    expect(loaded.some((url) => url.includes('model-manager/src/pull.ts'))).toBe(true);
    expect(loaded.filter((url) => /node_modules\/(werift|node-datachannel|@aws-sdk)\//.test(url))).toEqual([]);
  });
});
