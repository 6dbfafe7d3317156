import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { PYTHON, pythonModules } from '../support/requirements.ts';
import { declareRunners, pythonRunner } from '../support/runners.ts';
import {
  errorOf,
  FIXTURES,
  IGNORED,
  importModel,
  type ModelJson,
  openScene,
  pull,
  type Scene,
} from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const CLIENT = fileURLToPath(new URL('../interop/client.py', import.meta.url));
const VECTORS = fileURLToPath(new URL('../../packages/protocol/vectors', import.meta.url));
const MODULES = ['aiortc', 'cryptography', 'msgpack', 'websockets', 'xxhash'];

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
/** One signaling server and worker for all tests of this file. */
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab);
  return opened;
};

/** A machine on which the Python client is run. -B leaves no bytecode in the repository; -E and -s hide the user's own Python. */
async function pythonMachine(name: string): Promise<Machine> {
  return await lab.machine(name, { program: [PYTHON, '-B', '-E', '-s', CLIENT] });
}

/** What a folder's files are, without their permissions: those are not the same on every checkout. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const facts = await treeDigest(folder, IGNORED);
  return new Map([...facts].map(([path, { size, sha256 }]) => [path, `${size} ${sha256}`]));
}

describeWith([pythonModules(MODULES)], 'a client in Python that is written from docs/protocol.md', () => {
  it('takes and refuses every test vector as it says', async () => {
    const python = await pythonMachine('vectors');
    const { checked } = (await python.succeed(['check-vectors', VECTORS])).json<{ checked: Record<string, number> }>();
    const files = [...(await treeDigest(VECTORS)).keys()];
    expect(files.length).toBeGreaterThan(0);
    expect(Object.keys(checked).sort()).toEqual(files.sort());
  }, 120_000);

  it.each(['tiny-llama', 'good-mouse-v1'])(
    'pulls a model from a worker, the same byte for byte: %s',
    async (name) => {
      const { worker, session } = await scene();
      const imported = await importModel(worker, join(FIXTURES, name), name);
      const python = await pythonMachine(`pull-${name}`);
      const out = join(python.folder, 'out');
      const pulled = (await python.succeed(['pull', session, name, out])).json<{ digest: string }>();
      expect(pulled.digest).toBe(imported.digest);
      const content = await contentOf(out);
      expect(content.size).toBeGreaterThan(0);
      expect(content).toEqual(await contentOf(imported.localPath));
    },
    180_000,
  );

  it('pushes a model to a worker, from which another client pulls the same bytes', async () => {
    const { client, session } = await scene();
    const folder = join(FIXTURES, 'legacy-rat-2023');
    const python = await pythonMachine('push');
    const pushed = (await python.succeed(['push', session, folder, 'from-python'])).json<{
      outcome: string;
      entry: ModelJson;
    }>();
    expect(pushed).toMatchObject({ outcome: 'installed', entry: { alias: 'from-python' } });
    const pulled = await pull(await client('push-receiver'), 'from-python');
    expect(pulled.entry.digest).toBe(pushed.entry.digest);
    expect(await contentOf(pulled.entry.localPath)).toEqual(await contentOf(folder));
  }, 180_000);

  it('moves more than the credit of a lane, and a manifest in fragments, in both directions', async () => {
    const { session } = await scene();
    const python = await pythonMachine('large');
    const folder = join(python.folder, 'large');
    await makeRandomFile(join(folder, 'model.msgpack'), 12_345_678);
    await mkdir(join(folder, 'parts'));
    await Promise.all(
      Array.from({ length: 450 }, (_, i) => writeFile(join(folder, 'parts', `${i}.txt`), i === 0 ? '' : `part ${i}`)),
    );
    await python.succeed(['push', session, folder, 'large-from-python']);
    const out = join(python.folder, 'out');
    await python.succeed(['pull', session, 'large-from-python', out]);
    expect(await contentOf(out)).toEqual(await contentOf(folder));
    const { models } = (await python.succeed(['list', session])).json<{ models: ModelJson[] }>();
    expect(models.map(({ alias }) => alias)).toContain('large-from-python');
  }, 300_000);

  it('pulls and pushes over a relay lane as well', async () => {
    const { worker, session } = await scene();
    const imported = await importModel(worker, join(FIXTURES, 'tiny-gguf'), 'over-the-relay');
    const python = await pythonMachine('relay');
    const out = join(python.folder, 'out');
    await python.succeed(['pull', '--lane', 'relay', session, 'over-the-relay', out]);
    expect(await contentOf(out)).toEqual(await contentOf(imported.localPath));
    const folder = join(python.folder, 'pushed');
    await makeRandomFile(join(folder, 'model.msgpack'), 9_000_000);
    const pushed = await python.succeed(['push', '--lane', 'relay', session, folder, 'pushed-over-the-relay']);
    expect(pushed.json()).toMatchObject({ outcome: 'installed', transferredBytes: 9_000_000 });
  }, 180_000);

  it('runs a model of the worker on a file and a folder, follows the job over a second connection, and fetches what it wrote', async () => {
    const { worker, session } = await scene();
    await importModel(worker, join(FIXTURES, 'tiny-onnx'), 'to-run');
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    const program = [
      'import os, sys, time',
      `for i in range(${lines.length}): print('line %d' % i, flush=True); time.sleep(0.05)`,
      'out, given, suffix = sys.argv[1:]',
      "os.makedirs(out + '/below') if suffix == 'folder' else None",
      "name = out + '/below/size.txt' if suffix == 'folder' else out + '.txt'",
      "open(name, 'w').write(os.path.basename(given) + (' folder' if os.path.isdir(given) else ' file'))",
    ].join('\n');
    const set = { suffix: { type: 'string', choices: ['file', 'folder'], default: 'file' } };
    await declareRunners(worker, [pythonRunner('lines', program, ['{output}', '{input}', '{set.suffix}'], { set })]);
    const python = await pythonMachine('submit');
    const folder = join(python.folder, 'data');
    await makeRandomFile(join(folder, 'clip.bin'), 3_000_000);
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'deep', 'empty'), '');
    const submit = async (data: string, out: string, ...more: string[]) =>
      (await python.succeed(['submit', session, 'to-run', data, out, '--runner', 'lines', ...more])).json<{
        job: { state: string; exit: { code: number } };
        lines: string[];
      }>();
    const file = join(python.folder, 'of-file.txt');
    const ran = await submit(join(folder, 'clip.bin'), file, '--reconnect-after', '7');
    expect(ran).toMatchObject({ job: { state: 'completed', exit: { code: 0 } }, lines });
    expect(await readFile(file, 'utf8')).toBe('clip.bin file');
    const out = join(python.folder, 'of-folder');
    await submit(folder, out, '--set', 'suffix=folder');
    expect(await readFile(join(out, 'below', 'size.txt'), 'utf8')).toBe('data folder');
  }, 180_000);

  it('connects to a worker that runs on werift as well', async () => {
    const { worker, session } = await openScene(lab, { workerArgs: ['--engine', 'werift'] });
    const imported = await importModel(worker, join(FIXTURES, 'tiny-onnx'), 'over-werift');
    const python = await pythonMachine('werift');
    const out = join(python.folder, 'out');
    await python.succeed(['pull', session, 'over-werift', out]);
    expect(await contentOf(out)).toEqual(await contentOf(imported.localPath));
  }, 180_000);

  it('gets the answers that the page promises to what breaks a rule', async () => {
    const { session } = await scene();
    const python = await pythonMachine('probe');
    const answers = (await python.succeed(['probe', session])).json<Record<string, string>>();
    expect(answers).toEqual({
      'an offer of an agent with ICE-lite': 'malformed_message',
      'an offer with tiny messages': 'malformed_message',
      'an offer that is no SDP': 'malformed_message',
      'an offer that is too long': 'malformed_message',
      'a malformed first message': 'malformed_message',
      'another major version': 'protocol_mismatch',
      'an exchange right behind hello on a webrtc lane': 'direct_offer 7',
      'an exchange right behind hello on a relay lane': 'direct_offer 7',
      'a manifest that breaks a rule': 'invalid_model',
      'a request that nobody knows': 'protocol_mismatch',
      'parameters that break a rule': 'bad_argument',
      'a chunk of no model': 'not_found',
    });
  }, 180_000);

  it('is told by the worker what went wrong', async () => {
    const { session } = await scene();
    const python = await pythonMachine('wrong');
    const out = join(python.folder, 'out');
    const result = await python.run(['pull', session, 'no-such-model', out]);
    expect(result.exitCode).toBe(1);
    expect(errorOf(result).code).toBe('not_found');
    expect(await treeDigest(python.folder)).toEqual(new Map());
  }, 120_000);
});
