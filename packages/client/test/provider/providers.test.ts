import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLog } from '@model-rtc/protocol';
import { type Registry, toModelEntry } from '@model-rtc/registry';
import type { ModelProvider } from '@model-rtc/transfer';
import type { ModelProgress } from '../../src/index.ts';
import { pullFromProviders } from '../../src/pull-model.ts';
import { ChunkHold, gate, HurriedClock, importBytes, openTestRegistry, seededBytes } from '../support/lab.ts';
import { MemoryProvider } from '../support/memory-provider.ts';
import { providerSuite } from '../support/provider-suite.ts';
import { openSwarm } from '../support/swarm-lab.ts';

const MEBI = 1024 * 1024;
const BYTES = seededBytes(24 * MEBI + 1000, 1);

async function memoryProvider(registry?: Registry): Promise<MemoryProvider> {
  const from = registry ?? (await openTestRegistry());
  const { digest } = await importBytes(from, BYTES, { alias: 'mouse' });
  const entry = toModelEntry((await from.resolve('mouse')).entry);
  return new MemoryProvider('memory', [{ entry, digest, manifest: await from.manifest(digest), bytes: BYTES }]);
}

providerSuite('a worker', async () => {
  const { group, workers } = await openSwarm(1);
  const [worker] = workers;
  const { digest } = await importBytes(worker?.registry as Registry, BYTES, { alias: 'mouse' });
  const provider = group.workers[0]?.provider as ModelProvider;
  return { provider, digest, bytes: BYTES, leave: () => worker?.leave(), close: () => group.close() };
});

providerSuite('a memory', async () => {
  const provider = await memoryProvider();
  const { entry } = await provider.resolve('mouse');
  const digest = entry.digest as never;
  return { provider, digest, bytes: BYTES, leave: () => provider.leave(), close: () => provider.close() };
});

describe('providers of several kinds', () => {
  /** A worker and a memory that have the same model, and what pulls it from both. */
  async function mixed() {
    const { here, group, workers } = await openSwarm(1);
    const [worker] = workers;
    const memory = await memoryProvider();
    await importBytes(worker?.registry as Registry, BYTES, { alias: 'mouse' });
    const seen: ModelProgress[] = [];
    const pull = async (onProgress: (progress: ModelProgress) => void = () => {}) => {
      const context = { registry: here, log: silentLog, clock: new HurriedClock(), random: () => 0, limits: {} };
      const providers = [memory, group.workers[0]?.provider as ModelProvider];
      const options = {
        onProgress: (progress: ModelProgress) => {
          seen.push(progress);
          onProgress(progress);
        },
      };
      const pulled = await pullFromProviders(context, providers, 'mouse', options);
      expect((await readFile(join(pulled.entry.localPath, 'weights.pt'))).equals(BYTES)).toBe(true);
      return pulled;
    };
    const news = () => seen.flatMap((one) => (one.type === 'worker' ? [`${one.name} ${one.state}`] : []));
    return { worker, memory, pull, news };
  }

  it('serve one transfer at once', async () => {
    const { memory, pull, news } = await mixed();
    const both = gate();
    memory.beforeChunk = async (given) => {
      if (given === 2) await both.opened;
    };
    const pulled = await pull((progress) => {
      if (progress.type === 'transfer' && progress.lanes.length === 2) both.open();
    });
    expect(pulled.workers.map(({ name }) => name).sort()).toEqual(['memory', 'worker-0']);
    expect(pulled).toMatchObject({ namedAt: 'memory', transferredBytes: BYTES.length });
    expect(new Set(news())).toEqual(new Set(['memory serving', 'worker-0 serving']));
    expect(memory.installed).toEqual([pulled.entry.digest]);
  });

  it('finish it when the one that is no worker is gone in the middle', async () => {
    const { worker, memory, pull, news } = await mixed();
    const hold = new ChunkHold(2);
    if (worker !== undefined) worker.hold = hold;
    memory.beforeChunk = (given) => {
      if (given >= 2) memory.leave();
    };
    const pulled = await pull(() => {
      if (news().includes('memory lost')) hold.release();
    });
    expect(memory.given).toBeGreaterThanOrEqual(2);
    expect(pulled.transferredBytes).toBe(BYTES.length);
    expect(pulled.workers.map(({ name }) => name)).toContain('worker-0');
  });

  it('finish it when the worker is gone in the middle', async () => {
    const { worker, memory, pull, news } = await mixed();
    if (worker !== undefined) worker.hold = new ChunkHold(2);
    const gone = gate();
    memory.beforeChunk = async (given) => {
      if (given >= 2) await gone.opened;
    };
    await pull((progress) => {
      if (progress.type === 'transfer' && progress.transferredBytes >= 3 * MEBI && worker?.online) worker.leave();
      if (news().includes('worker-0 lost')) gone.open();
    });
    expect(memory.given).toBeGreaterThan(2);
  });

  it('go on without one that has the model no more', async () => {
    const { worker, memory, pull, news } = await mixed();
    const hold = new ChunkHold(2);
    if (worker !== undefined) worker.hold = hold;
    memory.beforeChunk = (given) => {
      if (given >= 2) memory.forget();
    };
    await pull(() => {
      if (news().includes('memory absent')) hold.release();
    });
    expect(news().filter((one) => one.startsWith('memory'))).toEqual(['memory serving', 'memory absent']);
  });
});
