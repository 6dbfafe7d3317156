import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, messageTurns } from '@model-rtc/protocol';

import { createMemoryDisk, type Layout, type MemoryDiskOptions, planLayout } from '../../../src/core/index.ts';
import { diskSuite } from '../../support/disk-suite.ts';
import type { DiskScene } from '../../support/disk-user.ts';
import { contentsOf, makeModel, seededBytes } from '../../support/models.ts';
import { rangeDiskSuite } from '../../support/range-disk-suite.ts';
import { spanDiskSuite } from '../../support/span-disk-suite.ts';

function memoryScene(layout: Layout, options: Partial<MemoryDiskOptions> = {}): DiskScene {
  const disk = createMemoryDisk(layout, { maxBytes: 10_000_000, ...options });
  return {
    ...disk,
    read(path, start, end) {
      try {
        return Buffer.concat(disk.parts(path, start, end));
      } catch (error) {
        if (ModelRtcError.from(error).code === 'not_found') return undefined;
        throw error;
      }
    },
    damage(path, offset) {
      const [part] = disk.parts(path, offset, offset + 1);
      if (part !== undefined) part[0] = (part[0] ?? 0) ^ 1;
    },
  };
}

diskSuite('memory', async (layout) => memoryScene(layout));
rangeDiskSuite('memory', async (layout) => memoryScene(layout));
spanDiskSuite('memory', async (layout) => memoryScene(layout));
diskSuite('memory in turns of a browser', async (layout) => memoryScene(layout, { openTurns: messageTurns }));

describe('a disk in memory', () => {
  const block = seededBytes(1000, 1);
  const model = makeModel({ a: Buffer.concat([block, block]), b: seededBytes(500, 2) }, [1000, 1000, 300]);
  const layout = planLayout(contentsOf(model));

  it('takes each different chunk once, and no model that is larger than its limit', () => {
    expect(() => createMemoryDisk(layout, { maxBytes: 1500 })).not.toThrow();
    expect(() => createMemoryDisk(layout, { maxBytes: 1499 })).toThrow(
      expect.objectContaining({ code: 'storage_full', details: { neededBytes: 1500, maxBytes: 1499 } }),
    );
  });

  it('gives parts of a file before the rest has come', async () => {
    const disk = createMemoryDisk(layout, { maxBytes: 1500 });

    const port = disk.open(() => {});
    const memory = port.allocate(300);
    memory.write(0, model.files.get('b')?.subarray(0, 300) as Buffer);
    port.post([{ type: 'store', chunk: 1, buffer: 0, memory: memory.bytes }]);
    await port.close();
    expect(Buffer.concat(disk.parts('b', 10, 20)).equals(model.files.get('b')?.subarray(10, 20) as Buffer)).toBe(true);
    for (const missing of [() => disk.parts('b'), () => disk.parts('a', 0, 1), () => disk.parts('c')]) {
      expect(missing).toThrow(expect.objectContaining({ code: 'not_found' }));
    }
  });
});
