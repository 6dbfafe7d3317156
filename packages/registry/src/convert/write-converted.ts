import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, writeFileSynced } from '@model-rtc/files';
import { type Conversion, convertedBlocks } from '@model-rtc/formats/convert';
import type { SourceFile } from '../hash/types.ts';
import type { Meter } from '../progress.ts';

/** Of the new file, written at a time; one is filled while the other is written. */
const BLOCK_BYTES = 16 * 1024 * 1024;

/** What all files of a model are written from, one after the other. */
export type WriteBuffers = readonly [Buffer, Buffer];

export function createWriteBuffers(): WriteBuffers {
  return [Buffer.allocUnsafeSlow(BLOCK_BYTES), Buffer.allocUnsafeSlow(BLOCK_BYTES)];
}

/**
 * The place of a new file in a folder; the folders on the way are made.
 * @param path inside the folder, and checked
 */
export async function targetIn(folder: string, path: string): Promise<string> {
  const target = join(folder, path);
  await atStorage(dirname(target), 'created', async () => await mkdir(dirname(target), { recursive: true }));
  return target;
}

/** Writes a converted file; its bytes are on the disk when this resolves. @throws ModelRtcError `source_changed`, `storage`, `cancelled` */
export async function writeConverted(
  plan: Conversion,
  source: SourceFile,
  target: string,
  buffers: WriteBuffers,
  meter: Meter,
): Promise<void> {
  await atStorage(target, 'written', async () => {
    const handle = await open(target, 'wx');
    let writing = Promise.resolve();
    try {
      let turn = 0;
      for (const block of convertedBlocks(plan, BLOCK_BYTES)) {
        meter.throwIfCancelled();
        const bytes = (buffers[turn++ % 2] as Buffer).subarray(0, block.bytes);
        await block.fill(bytes, source);
        await writing;
        writing = handle.writeFile(bytes).then(() => meter.add(bytes.length));
        // It is told of when it is waited for.
        writing.catch(() => {});
      }
      await writing;
      await handle.sync();
    } finally {
      await writing.catch(() => {});
      await handle.close();
    }
  });
  await source.confirm();
}

/** @throws ModelRtcError `storage` */
export async function writeText(target: string, text: string): Promise<void> {
  await atStorage(target, 'written', async () => await writeFileSynced(target, text));
}
