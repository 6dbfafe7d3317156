import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { ModelProgress } from '../../src/index.ts';
import { ChunkHold, failure, gate, importBytes, openLab, seededBytes, temporaryFolder } from '../support/lab.ts';
import { openSwarm, type SwarmLab, type SwarmWorker } from '../support/swarm-lab.ts';

const MEBI = 1024 * 1024;
const BYTES = seededBytes(24 * MEBI + 1000, 1);

async function importAt(lab: SwarmLab, which: readonly number[], alias = 'mouse'): Promise<void> {
  for (const number of which) await importBytes(lab.workers[number]?.registry as Registry, BYTES, { alias });
}

async function expectWhole(localPath: string): Promise<void> {
  expect((await readFile(join(localPath, 'weights.pt'))).equals(BYTES)).toBe(true);
}

const news = (seen: readonly ModelProgress[]) =>
  seen.flatMap((progress) => (progress.type === 'worker' ? [`${progress.name} ${progress.state}`] : []));

describe('a model that several workers have', () => {
  it('comes from all of them at once', async () => {
    const lab = await openSwarm(3);
    await importAt(lab, [0, 1, 2]);
    const pulled = await lab.group.pullModel('mouse');
    // The clock of the lab leaves earlier workers no time to answer before later ones.
    const namedAt = expect.stringMatching(/^worker-[012]$/);
    expect(pulled).toMatchObject({ outcome: 'pulled', transferredBytes: BYTES.length, namedAt });
    await expectWhole(pulled.entry.localPath);
    expect(pulled.workers.map(({ name }) => name).sort()).toEqual(['worker-0', 'worker-1', 'worker-2']);
    expect(pulled.workers.every(({ bytes, lanes }) => bytes > 0 && lanes[0]?.kind === 'memory')).toBe(true);
  });

  it('tells two workers of one name apart in all that is told of them', async () => {
    const lab = await openSwarm(2);
    await importAt(lab, [0, 1]);
    for (const worker of lab.workers) worker.name = 'gpu';
    const names = lab.workers.map(({ token }) => `gpu (${Buffer.from(token.workerKey).toString('hex').slice(0, 8)})`);
    const seen: ModelProgress[] = [];
    const holds = lab.workers.map((worker) => {
      worker.hold = new ChunkHold(2);
      return worker.hold;
    });
    const pulled = await lab.group.pullModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.type === 'transfer' && progress.lanes.length === 2) for (const hold of holds) hold.release();
      },
    });
    const told = pulled.workers.map(({ name }) => name);
    expect(new Set(told).size).toBe(2);
    expect(['gpu', ...names]).toEqual(expect.arrayContaining(told));
    expect(new Set(news(seen))).toEqual(new Set(told.map((name) => `${name} serving`)));
    expect(pulled.workers.every(({ bytes, lanes }) => bytes >= 2 * MEBI && lanes[0]?.count === 1)).toBe(true);
  });

  it('goes on when one of them leaves, and takes it back when it returns', async () => {
    const lab = await openSwarm(2);
    await importAt(lab, [0, 1]);
    const [first, second] = lab.workers;
    const hold = new ChunkHold(3);
    if (second !== undefined) second.hold = hold;
    const seen: ModelProgress[] = [];
    let isBack = false;
    const pulled = await lab.group.pullModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.type === 'worker' && progress.name === 'worker-0' && progress.state === 'lost') {
          isBack = true;
          if (first !== undefined) first.online = true;
        }
        if (progress.type === 'transfer' && progress.transferredBytes >= MEBI && !isBack) first?.leave();
        if (isBack && news(seen).filter((one) => one === 'worker-0 serving').length === 2) hold.release();
      },
    });
    await expectWhole(pulled.entry.localPath);
    expect(news(seen).filter((one) => one.startsWith('worker-0'))).toEqual([
      'worker-0 serving',
      'worker-0 lost',
      'worker-0 serving',
    ]);
    expect(pulled.transferredBytes).toBe(BYTES.length);
  });

  it('leaves out a worker that does not have it, and tries one that is offline again', async () => {
    const lab = await openSwarm(3);
    await importAt(lab, [1, 2]);
    const [, deciding, late] = lab.workers;
    if (late !== undefined) late.online = false;
    const hold = new ChunkHold(2);
    if (deciding !== undefined) deciding.hold = hold;
    const seen: ModelProgress[] = [];
    const pulled = await lab.group.pullModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.type === 'worker' && progress.state === 'offline' && late !== undefined) late.online = true;
        if (news(seen).includes('worker-2 serving')) hold.release();
      },
    });
    expect(pulled.namedAt).toBe('worker-1');
    expect(new Set(news(seen))).toEqual(
      new Set(['worker-1 serving', 'worker-0 absent', 'saved-worker-2 offline', 'worker-2 serving']),
    );
    await expectWhole(pulled.entry.localPath);
  });

  it('is not asked of a busy worker any more once another has told of it', async () => {
    const lab = await openSwarm(2);
    await importAt(lab, [0]);
    const [steady, busy] = lab.workers as [SwarmWorker, SwarmWorker];
    busy.answers = {
      get_model_info: async () => {
        throw new ModelRtcError('busy', 'It reads changed files.');
      },
    };
    const hold = new ChunkHold(1);
    steady.hold = hold;
    const seen: ModelProgress[] = [];
    await lab.group.pullModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        if (news(seen).includes('worker-1 busy')) hold.release();
      },
    });
    const begun = seen.findIndex(({ type }) => type === 'transfer');
    expect(seen.slice(begun).filter(({ type }) => type === 'waiting')).toEqual([]);
    expect(news(seen).sort()).toEqual(['worker-0 serving', 'worker-1 busy']);
  });

  it('comes from the others when it changes at one of them, which is named and left out', async () => {
    const lab = await openSwarm(2);
    const [first, second] = lab.workers as [SwarmWorker, SwarmWorker];
    const { original } = await importBytes(first.registry, BYTES, { alias: 'mouse', copy: false });
    await importAt(lab, [1]);
    const [changing, steady] = [new ChunkHold(1), new ChunkHold(2)];
    first.hold = changing;
    second.hold = steady;
    const seen: ModelProgress[] = [];
    const told = gate();
    const pulling = lab.group.pullModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.type === 'transfer' && progress.transferredBytes >= 3 * MEBI) told.open();
        if (news(seen).includes('worker-0 dropped')) steady.release();
      },
    });
    await told.opened;
    await writeFile(original, seededBytes(BYTES.length, 7));
    changing.release();
    const pulled = await pulling;
    await expectWhole(pulled.entry.localPath);
    expect(news(seen).filter((one) => one.startsWith('worker-0'))).toEqual(['worker-0 serving', 'worker-0 dropped']);
    expect(seen.filter(({ type }) => type === 'source_changed')).toEqual([]);
  });

  it('is begun again with its new content when it changes, and nobody else is known to have it', async () => {
    const lab = await openSwarm(3, systemClock);
    const [first, , offline] = lab.workers as [SwarmWorker, SwarmWorker, SwarmWorker];
    const { original } = await importBytes(first.registry, BYTES, { alias: 'mouse', copy: false });
    offline.online = false;
    const hold = new ChunkHold(1);
    first.hold = hold;
    const changed = seededBytes(5000, 7);
    const seen: ModelProgress[] = [];
    const told = gate();
    const pulling = lab.group.pullModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.type === 'transfer' && progress.transferredBytes >= MEBI) told.open();
      },
    });
    await told.opened;
    await writeFile(original, changed);
    hold.release();
    const { entry } = await pulling;
    expect((await readFile(join(entry.localPath, 'weights.pt'))).equals(changed)).toBe(true);
    expect(seen.filter(({ type }) => type === 'source_changed')).toHaveLength(1);
  });

  it('is named by the first of the workers that knows the name', async () => {
    const lab = await openSwarm(2, systemClock);
    await importAt(lab, [1]);
    const other = await importBytes(lab.workers[0]?.registry as Registry, seededBytes(1000, 5), { alias: 'mouse' });
    const pulled = await lab.group.pullModel('mouse');
    expect([pulled.entry.digest, pulled.namedAt]).toEqual([other.digest, 'worker-0']);
  });

  it('is not there when none of them has it', async () => {
    const lab = await openSwarm(2);
    const error = await failure(lab.group.pullModel('mouse'));
    expect(error).toMatchObject({ code: 'not_found', exitCode: 3 });
    expect(error.message).toMatch(/worker-0: .* worker-1: /);
  });

  it('fails when all are gone for two minutes, with what came kept', async () => {
    const lab = await openSwarm(2);
    await importAt(lab, [0, 1]);
    for (const worker of lab.workers) worker.hold = new ChunkHold(2);
    const pulling = lab.group.pullModel('mouse', {
      onProgress: (progress) => {
        if (progress.type !== 'transfer' || progress.transferredBytes < 2 * MEBI) return;
        for (const worker of lab.workers) if (worker.online) worker.leave();
      },
    });
    const error = await failure(pulling);
    expect(error).toMatchObject({ code: 'timeout', exitCode: 9 });
    expect(error.message).toMatch(/run the same command again.*offline/);
    for (const worker of lab.workers) Object.assign(worker, { online: true, hold: undefined });
    const again = await lab.group.pullModel('mouse');
    expect(again.resumedBytes).toBeGreaterThanOrEqual(2 * MEBI);
    await expectWhole(again.entry.localPath);
  });
});

describe('a plan', () => {
  it('says what a pull would fetch and which models have the rest, and stores nothing', async () => {
    const { client, there, here } = await openLab();
    await importBytes(there, BYTES, { alias: 'base' });
    const tuned = await importBytes(there, Buffer.concat([BYTES.subarray(0, 24 * MEBI), seededBytes(5000, 2)]), {
      alias: 'tuned',
    });
    expect(await client.planPull('base')).toMatchObject({ transferBytes: BYTES.length, reusedFrom: [], exists: false });
    await client.pullModel('base', { alias: 'mine' });
    expect(await client.planPull('tuned')).toMatchObject({
      ...{ digest: tuned.digest, exists: false, totalBytes: 24 * MEBI + 5000 },
      ...{ transferBytes: 5000, reusedBytes: 24 * MEBI, resumedBytes: 0 },
      reusedFrom: [{ alias: 'mine', bytes: 24 * MEBI }],
    });
    expect(await client.planPull('base')).toMatchObject({ exists: true, transferBytes: 0 });
    expect((await here.list({ filters: {}, sort: 'date', limit: 9 })).total).toBe(1);
  });

  it('says what a push would send', async () => {
    const { client, here, there } = await openLab();
    await importBytes(here, BYTES, { alias: 'base' });
    await importBytes(here, Buffer.concat([BYTES.subarray(0, 24 * MEBI), seededBytes(5000, 2)]), { alias: 'tuned' });
    await client.pushModel('base');
    expect(await client.planPush('tuned')).toMatchObject({
      exists: false,
      transferBytes: 5000,
      reusedBytes: 24 * MEBI,
    });
    expect(await client.planPush('base')).toMatchObject({ exists: true, transferBytes: 0 });
    expect((await there.list({ filters: {}, sort: 'date', limit: 9 })).total).toBe(1);
  });
});

describe('a file that another model here has whole', () => {
  it('takes no room twice, and is still verified', async () => {
    const { client, there } = await openLab();
    const importFolder = async (config: string, alias: string) => {
      const folder = join(await temporaryFolder(), alias);
      await mkdir(folder);
      await writeFile(join(folder, 'model.msgpack'), BYTES);
      await writeFile(join(folder, 'config.json'), config);
      await there.importModel(folder, { alias: alias as never, copy: true });
    };
    await importFolder('{"a":1}', 'base');
    await importFolder('{"b":2}', 'tuned');
    const base = await client.pullModel('base');
    const tuned = await client.pullModel('tuned');
    expect(tuned).toMatchObject({ transferredBytes: 7, reusedBytes: BYTES.length, resumedBytes: 0 });
    const [one, other] = await Promise.all(
      [base, tuned].map(({ entry }) => stat(join(entry.localPath, 'model.msgpack'))),
    );
    // Another name of one file, or a clone that shares its blocks, which no number tells.
    if ((other?.nlink ?? 1) > 1) expect(other?.ino).toBe(one?.ino);
    expect((await readFile(join(tuned.entry.localPath, 'model.msgpack'))).equals(BYTES)).toBe(true);
  });
});
