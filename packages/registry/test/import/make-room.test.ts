import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { listModelsParams, ModelRtcError } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { torchSample } from '../../../../test/support/torch-samples.ts';
import type { ComingFiles, Registry } from '../../src/index.ts';
import { exportMouse } from '../archive/support.ts';
import { writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

/** What an import asked for room, and whether it gets it. */
function room(refusal?: ModelRtcError) {
  const asked: ComingFiles[] = [];
  const makeRoom = async (coming: ComingFiles): Promise<void> => {
    asked.push(coming);
    if (refusal !== undefined) throw refusal;
  };
  return { asked, makeRoom };
}

const FULL = new ModelRtcError('storage_full', 'There is no room.');

async function expectUntouched(registry: Registry): Promise<void> {
  expect((await registry.list(listModelsParams.parse({}))).total).toBe(0);
  expect(await readdir(registry.paths.staging)).toEqual([]);
}

async function original(): Promise<string> {
  return await writeFiles(join(await temporaryFolder(), 'run'), { 'best.ckpt': 'x'.repeat(100), 'a.yaml': 'a: 1' });
}

describe('the room that an import takes', () => {
  it('is asked for before files are copied and before they are registered, and not for links', async () => {
    const registry = await openTestRegistry();
    const path = await original();
    const { asked, makeRoom } = room();
    const linked = await registry.importModel(path, { makeRoom });
    expect(asked).toEqual([]);
    const { entry } = await registry.importModel(path, { makeRoom, copy: true, ifExists: 'overwrite' });
    const coming = { bytes: 104, digest: linked.entry.digest };
    expect(asked).toEqual([coming, coming]);
    expect(entry.linked).toBe(false);
    await registry.importModel(path, { makeRoom, copy: true });
    // It is here already.
    expect(asked).toHaveLength(2);
  });

  it('keeps a copy out where there is none, and leaves nothing of it', async () => {
    const registry = await openTestRegistry();
    const { makeRoom } = room(FULL);
    expect(await rejection(registry.importModel(await original(), { makeRoom, copy: true }))).toBe(FULL);
    await expectUntouched(registry);
  });

  it('is asked for by an archive as well, before it is unpacked', async () => {
    const { archive, from } = await exportMouse();
    const { digest, size } = (await from.resolve('mouse')).entry;
    const registry = await openTestRegistry();
    const phases: string[] = [];
    const refused = registry.importArchive(archive, {
      makeRoom: room(FULL).makeRoom,
      onProgress: ({ phase }) => phases.push(phase),
    });
    expect(await rejection(refused)).toBe(FULL);
    expect(phases).toEqual([]);
    await expectUntouched(registry);
    const { asked, makeRoom } = room();
    await registry.importArchive(archive, { makeRoom });
    expect(asked).toEqual([
      { bytes: size, digest },
      { bytes: size, digest },
    ]);
  });

  it('is asked for by a conversion: about that of the original first, then what it came to', async () => {
    const registry = await openTestRegistry({ importSteps: undefined });
    const files = { 'config.json': '{"model_type":"llama"}', 'pytorch_model.bin': torchSample('zip') };
    const path = await writeFiles(join(await temporaryFolder(), 'tiny'), files);
    const { asked, makeRoom } = room();
    const { entry } = await registry.importModel(path, { convert: 'safetensors', makeRoom });
    const bytes = Object.values(files).reduce((sum, { length }) => sum + length, 0);
    expect(asked).toEqual([{ bytes }, { bytes: entry.size, digest: entry.digest }]);
    const other = await openTestRegistry({ importSteps: undefined });
    expect(await rejection(other.importModel(path, { convert: 'safetensors', makeRoom: room(FULL).makeRoom }))).toBe(
      FULL,
    );
    await expectUntouched(other);
  });
});
