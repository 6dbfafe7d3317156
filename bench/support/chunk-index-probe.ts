/**
 * Opens a registry's chunk index, looks chunks up in it, and prints what that took as JSON:
 *
 *     node --import tsx bench/support/chunk-index-probe.ts HOME
 *
 * A process of its own, since the index is a mapped file whose pages count as the process's memory.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, sha256Digest } from '@model-rtc/protocol';
import { openRegistry } from '@model-rtc/registry';
import { residentMemoryBytes } from '../../test/support/process-memory.ts';

const [home = ''] = process.argv.slice(2);
await using registry = await openRegistry({ home });
const { models } = await registry.list({ filters: {}, sort: 'name', limit: 1 });
const { chunks } = await registry.manifest(models[0]?.digest as Digest);
await loadLibraries();
const before = await residentMemoryBytes(process.pid);
const startedMs = performance.now();
await registry.locateChunks([sha256Digest(new Uint8Array())]);
const openMs = performance.now() - startedMs;
const found = await registry.locateChunks(chunks.map(({ digest }) => digest));
const lookupMs = performance.now() - startedMs - openMs;
const memoryBytes = (await residentMemoryBytes(process.pid)) - before;
console.log(JSON.stringify({ openMs, lookupMs, memoryBytes, found: found.size }));

/** Loads LMDB, which waits for the first look into any index, so that the figures are of this index alone. */
async function loadLibraries(): Promise<void> {
  const empty = await mkdtemp(join(tmpdir(), 'chunk-index-probe-'));
  {
    await using other = await openRegistry({ home: empty });
    await other.locateChunks([sha256Digest(new Uint8Array())]);
  }
  await rm(empty, { recursive: true });
}
