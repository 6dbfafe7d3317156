import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { checkModelFile } from '../../src/onnx/check-model-file.ts';
import { writeOnnx } from '../support/make-onnx.ts';

let folder = '';
let model = '';
beforeEach(async () => {
  folder = await temporaryFolder();
  model = join(folder, 'inner', 'model.onnx');
  await mkdir(join(folder, 'inner', 'parts'), { recursive: true });
  for (const name of ['secret.bin', 'inner/weights.bin', 'inner/parts/1'])
    await writeFile(join(folder, name), Buffer.alloc(16));
});

async function modelReading(location: string): Promise<string> {
  await writeOnnx(model, {
    inputs: [],
    outputs: [{ name: 'y', type: 'float32', shape: [4] }],
    nodes: [{ op: 'Identity', inputs: ['w'], outputs: ['y'] }],
    tensors: [{ name: 'w', shape: [4], values: [], location }],
  });
  return model;
}

describe('a model that keeps tensors in other files', () => {
  it.each(['weights.bin', './weights.bin', 'parts/1'])('may read %s, which is in its folder', async (location) => {
    await expect(checkModelFile(await modelReading(location))).resolves.toBeUndefined();
  });

  it.each(['../secret.bin', '/etc/passwd', 'parts/../../secret.bin', 'C:/secret.bin', '..\\secret.bin', ''])(
    'may not read %p',
    async (location) => {
      await expect(checkModelFile(await modelReading(location))).rejects.toThrow(
        `model.onnx reads tensors from ${JSON.stringify(location)}, which is not in its own folder. Export it again.`,
      );
    },
  );

  it('has to have them', async () => {
    await expect(checkModelFile(await modelReading('gone.bin'))).rejects.toThrow(
      'model.onnx keeps tensors in gone.bin, which is missing. Push the whole model.',
    );
  });
});

describe('a file that is no model', () => {
  it('says so', async () => {
    await expect(checkModelFile(join(folder, 'secret.bin'))).rejects.toThrow(/secret\.bin is no \.onnx file/);
  });

  it('may be damaged in any way', async () => {
    await modelReading('weights.bin');
    for (const bytes of [
      [8, 8, 58, 200, 1, 1, 1],
      [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
    ]) {
      await writeFile(model, Buffer.from(bytes));
      await expect(checkModelFile(model)).rejects.toThrow(/^model\.onnx is damaged: .+ Push it again\.$/);
    }
  });

  it('may be a link to one, as the registry makes them', async () => {
    await modelReading('weights.bin');
    await symlink(model, join(folder, 'inner', 'link.onnx'));
    await expect(checkModelFile(join(folder, 'inner', 'link.onnx'))).resolves.toBeUndefined();
  });
});
