import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { openRegistry, type Registry } from '@model-rtc/registry';
import { createChunkServer, peerSource } from '../src/index.ts';
import { seededBytes } from './support/models.ts';
import { connectPeers } from './support/peers.ts';
import { pull, temporaryFolder } from './support/pulling.ts';

const WRITTEN = new Date('2024-02-03T04:05:06.789Z');

async function importBytes(registry: Registry, bytes: Buffer): Promise<Digest> {
  const file = join(await temporaryFolder(), 'weights.pt');
  await writeFile(file, bytes);
  await utimes(file, WRITTEN, WRITTEN);
  const { entry } = await registry.importModel(file, { copy: true });
  return entry.digest as Digest;
}

describe('a pull between two registries', () => {
  it('brings a model over a peer, and a changed one for the price of its changes', async () => {
    await using from = await openRegistry({ home: await temporaryFolder() });
    await using to = await openRegistry({ home: await temporaryFolder() });
    const serve = createChunkServer({ openModel: (digest) => from.openModel(digest) });
    const { asker, server } = await connectPeers({ get_chunks: serve });
    const common = seededBytes(3 * 1024 * 1024, 1);
    const fetchModel = async (digest: Digest): Promise<{ transferredBytes: number; reusedBytes: number }> => {
      const manifest = await from.manifest(digest);
      const outcome = await pull({
        contents: { ...manifest, digest },
        sources: [peerSource(asker, digest, asker.remote.agent.name)],
        staging: to.paths.staging,
        local: to,
      });
      const { entry } = await from.resolve(digest);
      await to.install({
        filesFolder: outcome.filesFolder,
        manifest,
        entry: { ...entry, alias: undefined },
        source: 'worker-pull',
        ifExists: 'skip',
      });
      await outcome.release();
      return outcome;
    };
    const base = await importBytes(from, Buffer.concat([common, seededBytes(500_000, 2)]));
    const tuned = await importBytes(from, Buffer.concat([common, seededBytes(500_000, 3)]));
    expect(await fetchModel(base)).toMatchObject({ reusedBytes: 0 });
    expect(await fetchModel(tuned)).toMatchObject({ transferredBytes: 500_000, reusedBytes: common.length });
    const { entry } = await to.resolve(tuned);
    const [file] = (await to.manifest(tuned)).files;
    const bytes = await readFile(join(entry.localPath, file?.path as string));
    expect(bytes.equals(Buffer.concat([common, seededBytes(500_000, 3)]))).toBe(true);
    // People look at the date of their best checkpoint.
    expect((await stat(join(entry.localPath, file?.path as string))).mtime).toEqual(WRITTEN);
    expect(await to.check(tuned)).toMatchObject({ valid: true });
    await Promise.all([asker.close(), server.close(), serve.close()]);
  });
});
