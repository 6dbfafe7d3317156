import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  deflatedZip,
  headerOfArrays,
  longPickle,
  nestedPickles,
  overlappingZip,
  pickleRow,
  stepsPickle,
} from '../support/attack-files.ts';
import { residentMemoryBytes } from '../support/process-memory.ts';
import { errorOf, importModel, openScene, push, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const MIB = 1024 * 1024;
/** Reading has a heap of 512 MiB and unpacks 32 MiB at a time; without bounds these models take gigabytes. */
const MOST_GROWTH_BYTES = 1200 * MIB;

/** An honest import sees that these are no whole models; whoever attacks a worker sends them all the same. */
const INCOMPLETE = '--allow-incomplete';

const lab = useLab('after all');

interface Marked {
  readonly codeFiles: readonly { readonly path: string; readonly unexamined?: true }[];
}

/** A model of files that take far more to look into than to send, and of one that is what it seems. */
async function costlyModel(): Promise<string> {
  const folder = join(await lab.folder(), 'costly');
  await mkdir(folder);
  const files = {
    'a-zip.pt': deflatedZip(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.pkl`, longPickle()]))),
    'b-overlap.pt': overlappingZip(2000, longPickle()),
    'c-text.safetensors': pickleRow(1, 600_000),
    'd-rows.pt': deflatedZip({ 'a/data.pkl': pickleRow(10_000, 80) }),
    'e-nested.pt': nestedPickles(8, pickleRow(1, 1000)),
    'f-header.safetensors': headerOfArrays('deep'),
    'g-header.safetensors': headerOfArrays('wide'),
    'config.json': Buffer.from('{"model_type": "hostile"}'),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  return folder;
}

/** A model of one file that takes some seconds to look into. */
async function slowModel(steps: number): Promise<string> {
  const folder = join(await lab.folder(), `slow-${steps}`);
  await mkdir(folder);
  // Unpacked it lies in memory: no reading of a file in between lets anything else go on.
  await writeFile(join(folder, 'w.safetensors'), deflatedZip({ 'a/data.pkl': stepsPickle(steps) }));
  return folder;
}

async function markedOf({ worker }: Scene, id: string): Promise<Marked> {
  return (await worker.succeed(['client', 'model-info', id, '--json'])).json<{ entry: Marked }>().entry;
}

describe('a worker that is pushed a model which costs much to look into', () => {
  it('marks what it does not examine, in bounded memory, and --safe-only refuses it', async () => {
    const scene = await openScene(lab);
    const laptop = await scene.client('laptop');
    const folder = await costlyModel();
    const refused = await laptop.run(['client', 'import-model', folder, '--yes', '--safe-only', '--json', INCOMPLETE]);
    expect(errorOf(refused)).toMatchObject({ code: 'refused', message: expect.stringContaining('not be examined') });
    const { id } = await importModel(laptop, folder, 'costly', INCOMPLETE);
    const { pid } = scene.workerProcess;
    const before = await residentMemoryBytes(pid);
    let peak = before;
    const watching = setInterval(async () => {
      peak = Math.max(peak, await residentMemoryBytes(pid).catch(() => 0));
    }, 50);
    await push(laptop, 'costly');
    clearInterval(watching);
    expect(peak - before).toBeLessThan(MOST_GROWTH_BYTES);
    const { codeFiles } = await markedOf(scene, id);
    const unexamined = codeFiles.filter((file) => file.unexamined).map(({ path }) => path);
    expect(unexamined).toEqual(
      expect.arrayContaining(['a-zip.pt', 'b-overlap.pt', 'c-text.safetensors', 'e-nested.pt']),
    );
    expect(codeFiles.map(({ path }) => path)).not.toContain('config.json');
    const listed = await laptop.succeed(['worker', 'list-models']);
    expect(listed.stdout).toMatch(/code\?/);
  });

  it('answers others meanwhile, and ends when it is told to', async () => {
    const scene = await openScene(lab);
    const laptop = await scene.client('laptop');
    await importModel(laptop, await slowModel(30_000_000), 'slow', INCOMPLETE);
    const pushing = laptop.start(['client', 'push-model', 'slow', '--json']);
    await pushing.waitForStdout(/"state":"verifying","doneBytes":[1-9]/);
    const other = await scene.client('other');
    let isPushing = true;
    void pushing.exited.finally(() => {
      isPushing = false;
    });
    await other.succeed(['worker', 'list-models', '--json']);
    expect(isPushing).toBe(true);
    const { exitCode } = await scene.workerProcess.kill('SIGTERM');
    expect(exitCode).not.toBeNull();
    expect((await pushing.kill('SIGTERM')).exitCode).not.toBe(0);
    // What had arrived is still there: another run installs it.
    expect(
      (await scene.worker.succeed(['client', 'list-models', '--json'])).json<{ models: unknown[] }>().models,
    ).toEqual([]);
  });
});
