import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Digest, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { ChunkHold, failure, importBytes, seededBytes } from '../support/lab.ts';
import { openMeshSwarm, type SwarmWorker } from '../support/swarm-lab.ts';
import type { TestMesh } from '../support/test-mesh.ts';

const MEBI = 1024 * 1024;
const BYTES = seededBytes(12 * MEBI + 1000, 7);

async function openMeshOf(count: number, having: readonly number[] = [...Array(count).keys()]) {
  const lab = await openMeshSwarm(count, systemClock);
  let digest: Digest | undefined;
  for (const { registry } of lab.workers)
    digest = (await importBytes(registry as Registry, BYTES, { alias: 'mouse' })).digest;
  const mesh = lab.mesh as TestMesh;
  mesh.has(digest as Digest, having);
  return { ...lab, mesh, digest: digest as Digest };
}

async function expectWhole(localPath: string): Promise<void> {
  expect((await readFile(join(localPath, 'weights.pt'))).equals(BYTES)).toBe(true);
}

describe('a model of a mesh', () => {
  it('comes from all nodes that have it, and the mesh hears how each did', async () => {
    const { group, mesh } = await openMeshOf(3);
    const pulled = await group.pullModel('mouse', { isName: true });
    expect(pulled).toMatchObject({
      outcome: 'pulled',
      transferredBytes: BYTES.length,
      entry: { source: 'worker-pull' },
    });
    await expectWhole(pulled.entry.localPath);
    const givers = pulled.workers.map(({ name }) => name).sort();
    expect(givers).toEqual(['worker-0', 'worker-1', 'worker-2']);
    const told = mesh.outcomes.filter(([, { ok, bytes }]) => ok && bytes > 0).map(([name]) => name);
    expect(told.sort()).toEqual(givers);
  });

  it.each([true, false])(
    'is asked for as one that this machine passes on only while its worker runs: %p',
    async (hasWorker) => {
      const { group, mesh, workers } = await openMeshOf(2);
      mesh.hasWorker = hasWorker;
      await group.pullModel('mouse', { isName: true });
      const asked = workers.flatMap(({ askedAsShared }) => askedAsShared);
      expect(new Set(asked)).toEqual(new Set([hasWorker]));
    },
  );

  it('comes from a node that appears while it is fetched', async () => {
    const { group, mesh, workers, digest } = await openMeshOf(2, [0]);
    const hold = new ChunkHold(2);
    (workers[0] as SwarmWorker).hold = hold;
    const pulled = await group.pullModel('mouse', {
      isName: true,
      onProgress(progress) {
        if (progress.type !== 'transfer') return;
        if (progress.lanes.length === 1 && progress.transferredBytes >= MEBI) mesh.has(digest, [1]);
        if (progress.lanes.some(({ source, bytes }) => source === 'worker-1' && bytes > 0)) hold.release();
      },
    });
    await expectWhole(pulled.entry.localPath);
    expect(pulled.workers.map(({ name }) => name)).toContain('worker-1');
  });

  it('does not come from a node without consent that appears while it is fetched', async () => {
    const { group, mesh, consented, workers, digest } = await openMeshOf(2, [0]);
    const hold = new ChunkHold(2);
    (workers[0] as SwarmWorker).hold = hold;
    mesh.withoutConsent.add('worker-1');
    const pulled = await group.pullModel('mouse', {
      isName: true,
      onProgress(progress) {
        if (progress.type !== 'transfer') return;
        const isThere = consented.leftOut().length > 0;
        if (!isThere && progress.transferredBytes >= MEBI) mesh.has(digest, [1]);
        if (isThere) hold.release();
      },
    });
    await expectWhole(pulled.entry.localPath);
    expect(pulled.workers.map(({ name }) => name)).toEqual(['worker-0']);
    expect(workers[1]?.lanes).toEqual([]);
    expect(consented.leftOut().map(({ name }) => name)).toEqual(['worker-1']);
  });

  it('is refused when only nodes without consent have it, and none of them is asked', async () => {
    const { group, mesh, workers } = await openMeshOf(2, []);
    for (const { name } of workers) mesh.withoutConsent.add(name);
    mesh.has(mesh.digest as Digest, [0, 1]);
    expect(await failure(group.pullModel('mouse', { isName: true }))).toMatchObject({ code: 'refused' });
    expect(workers.map(({ lanes }) => lanes.length)).toEqual([0, 0]);
  });

  it('comes whole when a node leaves in the middle', async () => {
    const { group, mesh, workers } = await openMeshOf(2);
    let hasLeft = false;
    const lost: string[] = [];
    const pulled = await group.pullModel('mouse', {
      isName: true,
      onProgress(progress) {
        if (progress.type === 'worker' && progress.state === 'lost') lost.push(progress.name);
        if (hasLeft || progress.type !== 'transfer' || progress.transferredBytes < MEBI) return;
        hasLeft = true;
        workers[0]?.leave();
      },
    });
    await expectWhole(pulled.entry.localPath);
    expect(lost).toEqual(['worker-0']);
    expect(mesh.outcomes).toContainEqual(['worker-0', expect.objectContaining({ ok: false, reason: 'network_error' })]);
  });

  it('comes whole beside a node that lies, which is named and not asked again', async () => {
    const { group, mesh, workers } = await openMeshOf(2);
    const [honest, liar] = workers as [SwarmWorker, SwarmWorker];
    honest.hold = new ChunkHold(1);
    let lied = 0;
    liar.answers = {
      async get_chunks({ chunks }, context) {
        for (const { index } of chunks) await context.sendChunk(index, new Uint8Array(MEBI));
        lied += chunks.length;
        if (lied >= 3) setTimeout(() => honest.hold?.release(), 200);
        return {};
      },
    };
    const pulled = await group.pullModel('mouse', { isName: true });
    await expectWhole(pulled.entry.localPath);
    expect(pulled.workers.map(({ name }) => name)).toEqual(['worker-0']);
    const lies = mesh.outcomes.filter(([, { reason }]) => reason === 'hash_mismatch');
    expect(lies.map(([name]) => name)).toEqual(['worker-1']);
    expect(liar.lanes).toHaveLength(1);
  });

  it('is taken from no more than 8 nodes at once', async () => {
    const { group, workers } = await openMeshOf(11);
    const pulled = await group.pullModel('mouse', { isName: true });
    await expectWhole(pulled.entry.localPath);
    expect(workers.filter(({ lanes }) => lanes.length > 0).length).toBeLessThanOrEqual(9);
  });

  it('is asked for again at a node that was there a moment ago and does not answer at once', async () => {
    const { group, mesh, workers } = await openMeshOf(1);
    const [worker] = workers as [SwarmWorker];
    worker.online = false;
    const { noteOutcome } = mesh;
    mesh.noteOutcome = async (...told) => {
      worker.online = true;
      await noteOutcome.apply(mesh, told);
    };
    const pulled = await group.pullModel('mouse', { isName: true });
    await expectWhole(pulled.entry.localPath);
  });

  it('is refused with advice when no node that has it can be reached', async () => {
    const { group, workers } = await openMeshOf(2);
    for (const worker of workers) worker.online = false;
    expect(await failure(group.pullModel('mouse', { isName: true }))).toMatchObject({
      code: 'worker_offline',
      message: expect.stringMatching(/worker-0, worker-1 did not answer.*mesh peers/),
    });
  });
});
