import { appendFile, cp, lstat, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeLlama } from '../../packages/registry/test/validate/make-model.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, importModel, openScene, pull, push, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab);
  return opened;
};

interface ValidatedJson {
  readonly valid: boolean;
  readonly results: readonly { readonly check: string; readonly outcome: string; readonly detail?: string }[];
}
interface RegistryJson {
  readonly valid: boolean;
  readonly findings: readonly { readonly kind: string; readonly name: string; readonly outcome: string }[];
}

async function validate<T>(machine: Machine, ...args: string[]): Promise<{ exitCode: number | undefined; found: T }> {
  const result = await machine.run(['client', 'validate', ...args, '--json']);
  return { exitCode: result.exitCode, found: result.json<T>() };
}

async function outcomes(machine: Machine, ...args: string[]) {
  const { exitCode, found } = await validate<ValidatedJson>(machine, ...args);
  return { exitCode, ...Object.fromEntries(found.results.map(({ check, outcome }) => [check, outcome])) };
}

async function llama(changes: Parameters<typeof makeLlama>[0] = {}): Promise<string> {
  const folder = join(await lab.folder(), 'llama');
  await mkdir(folder);
  for (const [name, content] of Object.entries(makeLlama(changes))) await writeFile(join(folder, name), content);
  return folder;
}

/** Numbers of 32 bits, 40 MB of them: enough for the threads that hash and look at numbers. */
async function largeWeights(bad: number): Promise<string> {
  const folder = join(await lab.folder(), 'large');
  await mkdir(folder);
  const values = new Float32Array(10_000_000).fill(0.5);
  values[9_000_001] = bad;
  const header = Buffer.from(
    JSON.stringify({ w: { dtype: 'F32', shape: [values.length], data_offsets: [0, values.byteLength] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat([length, header, Buffer.from(values.buffer)]));
  return folder;
}

describe('validate', () => {
  it('passes a model that can be used, keeps what it found, and shows it', async () => {
    const machine = await (await scene()).client('right');
    await importModel(machine, await llama(), 'right');
    expect(await outcomes(machine, 'right')).toEqual({
      ...{ exitCode: 0, files: 'passed', checksums: 'passed', headers: 'passed', config: 'passed' },
      ...{ numbers: 'passed', tokenizer: 'passed', forward: 'skipped' },
    });
    const { stdout } = await machine.succeed(['client', 'model-info', 'right']);
    expect(stdout).toMatch(/^Validated .*\n {2}files +passed: 3 files are there/m);
  });

  it('exits 6 with what is wrong: a NaN among 10 million numbers, a missing tensor', async () => {
    const machine = await (await scene()).client('wrong');
    await importModel(machine, await largeWeights(Number.NaN), 'nan');
    const { exitCode, found } = await validate<ValidatedJson>(machine, 'nan');
    expect({ exitCode, valid: found.valid }).toEqual({ exitCode: 6, valid: false });
    expect(found.results.find(({ check }) => check === 'numbers')).toEqual({
      ...{ check: 'numbers', outcome: 'failed', detail: 'w has 1 NaN.' },
    });
    await importModel(machine, await llama({ without: 'model.norm.weight' }), 'lacks');
    const failed = await machine.run(['client', 'validate', 'lacks']);
    expect(failed.exitCode).toBe(6);
    expect(failed.stdout).toMatch(/^config +failed +Missing: model\.norm\.weight\.$/m);
    expect(failed.stderr).toContain('lacks did not pass: config.');
    const { stdout } = await machine.succeed(['client', 'list-models', '--problems']);
    expect(stdout).toMatch(/^lacks: config: Missing: model\.norm\.weight\.$/m);
  });

  it('runs an ONNX model once, and another with the runner that the owner declared for it', async () => {
    const machine = await (await scene()).client('runs');
    await importModel(machine, join(FIXTURES, 'tiny-onnx'), 'onnx');
    expect(await outcomes(machine, 'onnx')).toMatchObject({ exitCode: 0, forward: 'passed' });
    const runner = join(await lab.folder(), 'runner.json');
    const args = ['/bin/sh', '-c', 'echo "it says no" >&2; exit 3', 'look', '{model}'];
    await writeFile(runner, JSON.stringify({ name: 'look', args, types: ['llama'], validates: true }));
    await machine.succeed(['worker', 'runners', 'add', runner]);
    await importModel(machine, await llama({ config: { max_position_embeddings: 7 } }), 'other');
    const { exitCode, found } = await validate<ValidatedJson>(machine, 'other');
    expect(exitCode).toBe(6);
    expect(found.results.at(-1)).toEqual({ check: 'forward', outcome: 'failed', detail: 'look: it says no' });
  });

  it.each([
    [[], 'Name a model'],
    [['x', '--registry'], 'Leave out the name'],
    [['x', '--fix'], '--fix goes with --registry'],
  ])('is told what to check: %j', async (args, message) => {
    const machine = await (await scene()).client('told');
    const result = await machine.run(['client', 'validate', ...args, '--json']);
    expect(result.exitCode).toBe(2);
    expect(errorOf(result).message).toContain(message);
  });
});

describe('validate --registry', () => {
  it('mends what it can and deletes nothing, and what is left is marked', async () => {
    const { client, session } = await scene();
    const [owner, machine] = [await client('owner'), await client('mess')];
    await importModel(owner, join(FIXTURES, 'tiny-llama'), 'shared', '--copy');
    await push(owner, 'shared');
    await machine.succeed(['client', 'workers', 'add', 'lab', session]);
    await pull(machine, 'shared');
    await machine.succeed(['client', 'sync', '--worker', 'lab']);
    const originals = await llama();
    await importModel(machine, originals, 'linked');
    await importModel(machine, join(FIXTURES, 'legacy-rat-2023'), 'rat', '--copy');
    expect(await validate<RegistryJson>(machine, '--registry')).toMatchObject({ exitCode: 0, found: { findings: [] } });

    const models = join(machine.home, 'models');
    const folderOf = async (alias: string) => {
      const { json } = await machine.succeed(['client', 'model-info', alias, '--json']);
      return json<{ here: { localPath: string } }>().here.localPath;
    };
    const [shared, linked, rat] = [await folderOf('shared'), await folderOf('linked'), await folderOf('rat')];
    await rm(shared, { recursive: true });
    await rm(linked, { recursive: true });
    const damaged = join(rat, 'best_model.h5');
    const { atime, mtime } = await lstat(damaged);
    const bytes = await readFile(damaged);
    bytes[5000] = 1 + (bytes[5000] as number);
    await writeFile(damaged, bytes);
    await utimes(damaged, atime, mtime);
    await cp(join(FIXTURES, 'tiny-onnx'), join(models, 'stray_model'), { recursive: true });
    await mkdir(join(models, 'strange_folder'));
    await appendFile(join(models, 'strange_folder', 'notes.txt'), 'mine');

    const seen = await validate<RegistryJson>(machine, '--registry');
    expect(seen.exitCode).toBe(6);
    expect(seen.found.findings.map(({ kind, outcome }) => `${kind} ${outcome}`).sort()).toEqual([
      'entry-without-folder found',
      'entry-without-folder found',
      'folder-without-entry found',
      'folder-without-entry found',
      'wrong-bytes found',
    ]);
    const fixed = await validate<RegistryJson>(machine, '--registry', '--fix');
    expect(fixed.found.findings.map(({ kind, outcome }) => `${kind} ${outcome}`).sort()).toEqual([
      'entry-without-folder mended',
      'entry-without-folder mended',
      'folder-without-entry mended',
      'folder-without-entry moved',
      'wrong-bytes marked',
    ]);
    expect(await readFile(join(machine.home, 'kept', 'strange_folder', 'notes.txt'), 'utf8')).toBe('mine');
    expect(await readdir(originals)).toHaveLength(3);
    for (const alias of ['shared', 'linked']) await machine.succeed(['client', 'verify', alias]);
    const again = await validate<RegistryJson>(machine, '--registry');
    expect(again.found.findings.map(({ kind }) => kind)).toEqual(['wrong-bytes']);
  });
});
