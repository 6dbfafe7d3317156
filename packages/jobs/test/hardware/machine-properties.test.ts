import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { machineProperties } from '../../src/index.ts';

async function propertiesWith(script: string) {
  const folder = await temporaryFolder();
  const path = join(folder, 'nvidia-smi');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return await machineProperties({ env: { PATH: `${folder}:/usr/bin:/bin` }, platform: 'linux', folder });
}

describe('machineProperties', () => {
  it('names the largest GPU with its memory in GB', async () => {
    const found = await propertiesWith('echo "NVIDIA T4, 15360"; echo "NVIDIA A100-SXM4-80GB, 81920"');
    expect(found).toMatchObject({ gpu: 'NVIDIA A100-SXM4-80GB', gpu_memory: 80, gpu_count: 2 });
  });

  it.each(['exit 1', 'echo "No devices were found"', 'echo "A, B, C"'])(
    'has no GPU where the driver answers by %j',
    async (script) => {
      expect(await propertiesWith(script)).not.toHaveProperty('gpu');
    },
  );

  it('says what the machine has and how busy it is', async () => {
    const found = await propertiesWith('exit 1');
    expect(found).toMatchObject({ platform: 'linux', memory: expect.any(Number), free_space: expect.any(Number) });
    expect(found).toMatchObject({ load: expect.any(Number), cpu_count: expect.any(Number) });
  });
});
