import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../support/command.ts';
import { sha256Of } from '../support/files.ts';
import { FIXTURES, importModel, openScene, push, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const RAW_CLIENT = fileURLToPath(new URL('../support/raw-client.ts', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab);
  return opened;
};

interface Answer {
  readonly type: 'reply' | 'error';
  readonly id: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Sends requests as they are, past every check of an honest client, and gives the answers in their order. */
async function askRaw(requests: readonly { method: string; params: unknown }[]): Promise<Answer[]> {
  const { session } = await scene();
  const program = [process.execPath, '--import', 'tsx', '--conditions=@model-rtc/source', RAW_CLIENT] as const;
  const input = JSON.stringify({ session, requests });
  const result = await runCommand(program, { cwd: REPOSITORY, env: { PATH: process.env.PATH }, input });
  expect({ exitCode: result.exitCode, stderr: result.stderr }).toEqual({ exitCode: 0, stderr: '' });
  return result.jsonLines<Answer>().sort((a, b) => a.id - b.id);
}

function pushOf(paths: readonly string[], more: object = {}) {
  const files = paths.map((path) => ({ path, size: 0, sha256: EMPTY_SHA256 }));
  const manifest = { version: 1, files, chunker: 'structure-1', chunks: [], ...more };
  const entry = {
    id: 'deadbeef',
    modelType: 'hostile',
    source: 'client-upload',
    status: 'completed',
    size: 0,
    fileCount: paths.length,
  };
  return { method: 'push_model', params: { manifest, entry } };
}

async function modelFolders({ worker }: Scene): Promise<string[]> {
  return (await readdir(join(worker.home, 'models'))).filter((name) => !name.startsWith('registry.'));
}

const HOSTILE_PATHS: readonly (readonly string[])[] = [
  ['../escaped.bin'],
  ['a/../../escaped.bin'],
  ['/tmp/model-rtc-absolute.bin'],
  ['C:\\windows\\evil.bin'],
  ['\\\\host\\share\\x'],
  ['weights.bin', 'weights.bin'],
  ['Weights.bin', 'weights.BIN'],
  ['folder', 'folder/file.bin'],
  ['CON'],
  ['sub/nul.txt'],
  ['COM1.safetensors'],
  ['.model-rtc/entry.json'],
  ['.MODEL-RTC/entry.json'],
  [''],
  ['a//b'],
  ['./a'],
  ['a/'],
  ['nul\u0000byte'],
  ['trailing.'],
  ['cafe\u0301.bin'],
  ['x'.repeat(5000)],
];

describe('a worker that is pushed something hostile', () => {
  it('refuses every path that would leave the model’s folder or collide in it, and stores nothing', async () => {
    const before = await modelFolders(await scene());
    const answers = await askRaw(HOSTILE_PATHS.map((paths) => pushOf(paths)));
    expect(answers).toHaveLength(HOSTILE_PATHS.length);
    for (const [place, answer] of answers.entries()) {
      expect({ paths: HOSTILE_PATHS[place], type: answer.type, code: answer.error?.code }).toEqual({
        paths: HOSTILE_PATHS[place],
        type: 'error',
        code: 'invalid_model',
      });
    }
    expect(await modelFolders(await scene())).toEqual(before);
    expect(await readdir(join((await scene()).worker.home, 'staging'))).toEqual([]);
    for (const escaped of ['/tmp/model-rtc-absolute.bin', join((await scene()).worker.home, 'escaped.bin')]) {
      expect(existsSync(escaped)).toBe(false);
    }
  }, 60_000);

  it('refuses manifests whose numbers do not add up, and requests that are none', async () => {
    const chunk = { digest: EMPTY_SHA256, size: 1 };
    const noModels = [
      pushOf(['a.bin'], { chunks: [chunk] }),
      pushOf(['a.bin'], { chunks: [{ ...chunk, size: 2 ** 40 }] }),
      pushOf(['a.bin'], { files: [{ path: 'a.bin', size: -1, sha256: EMPTY_SHA256 }] }),
      pushOf(['a.bin'], { files: [{ path: 'a.bin', size: 0, sha256: 'nonsense' }] }),
      pushOf(['a.bin'], { files: [] }),
      pushOf(['a.bin'], { version: 99 }),
    ];
    const noRequests = [
      { method: 'push_model', params: null },
      { method: 'get_chunks', params: { digest: EMPTY_SHA256, chunks: [] } },
      { method: 'get_model_info', params: { ref: '' } },
      { method: 'list_models', params: { limit: 1e9 } },
      { method: 'list_models', params: { cursor: 'nonsense' } },
    ];
    const answers = await askRaw([...noModels, ...noRequests]);
    expect(answers.map(({ type, error }) => [type, error?.code])).toEqual([
      ...noModels.map(() => ['error', 'invalid_model']),
      ...noRequests.map(() => ['error', 'bad_argument']),
    ]);
  }, 60_000);

  it('does not answer what it has no handler for, nor tell of paths on its disk', async () => {
    const answers = await askRaw([
      { method: 'no_such_method', params: {} },
      { method: '__proto__', params: {} },
      { method: 'get_model_info', params: { ref: '/etc/passwd' } },
      { method: 'get_manifest', params: { digest: EMPTY_SHA256 } },
      { method: 'get_chunks', params: { digest: EMPTY_SHA256, chunks: [{ index: 0, digest: EMPTY_SHA256 }] } },
    ]);
    expect(answers.map(({ error }) => error?.code)).toEqual([
      'protocol_mismatch',
      'protocol_mismatch',
      'not_found',
      'not_found',
      'not_found',
    ]);
  }, 60_000);

  it('fails a push whose sender does not have the chunks, and serves honest clients all the while', async () => {
    const { client, worker } = await scene();
    const sha256 = await sha256Of(join(FIXTURES, 'tiny-onnx', 'model.onnx'));
    const missing = pushOf(['a.bin'], {
      files: [{ path: 'a.bin', size: 5572, sha256 }],
      chunks: [{ digest: sha256, size: 5572 }],
    });
    // The raw client answers no request, so this push hangs until the client is gone.
    const hanging = askRaw([missing, { method: 'list_models', params: {} }]).catch(() => []);
    const honest = await client('honest');
    const { localPath } = await importModel(honest, join(FIXTURES, 'tiny-onnx'), 'honest');
    expect(localPath).toContain(honest.home);
    expect(await push(honest, 'honest')).toMatchObject({ outcome: 'pushed' });
    await worker.stop();
    await hanging;
  }, 60_000);
});
