import { describe, expect, it } from '@jest/globals';
import { openHub } from '@model-rtc/hub';
import { silentLog, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { sha256Of } from '../../../../test/support/hub/contents.ts';
import { type LocalHub, startHub } from '../../../../test/support/hub/local-hub.ts';
import { digestOf } from '../../../../test/support/registry-folder.ts';
import { type TakeOptions, takeFromHub } from '../../src/index.ts';
import { seededBytes } from '../support/lab.ts';
import { openSwarm, type SwarmLab } from '../support/swarm-lab.ts';

const MEBI = 1024 * 1024;
const FILES = {
  'model-1.bin': seededBytes(6 * MEBI + 11, 1),
  'model-2.bin': seededBytes(3 * MEBI, 2),
  'config.json': Buffer.from('{"model_type":"llama"}'),
};
const NEWER = { ...FILES, 'model-2.bin': seededBytes(MEBI, 3) };

function take(registry: Registry, hub: LocalHub, options: Partial<TakeOptions> = {}) {
  const context = { registry, log: silentLog, clock: systemClock, random: () => 0, limits: {} };
  return takeFromHub(context, {
    ...{ hub: openHub({ env: hub.env }), reference: { repo: 'lab/mouse' }, acceptLicense: true, ifTaken: 'overwrite' },
    ...options,
  });
}

/** A worker that took the first commit. The hub has a second one, with a file that the worker lacks. */
async function scene(workers = 1): Promise<{ hub: LocalHub; swarm: SwarmLab }> {
  const hub = await startHub();
  const repository = hub.addModel('lab/mouse', { files: FILES });
  const swarm = await openSwarm(workers);
  for (const { registry } of swarm.workers) await take(registry, hub);
  repository.push(NEWER);
  hub.asked.length = 0;
  return { hub, swarm };
}

describe('a model from a hub that workers have in part', () => {
  it('comes from the workers as far as they have it, and only the rest from the hub', async () => {
    const { hub, swarm } = await scene(2);
    // Otherwise the hub gives a part of what the workers have too.
    hub.fault = ({ at, url }, response) =>
      at === 'storage' && url.includes(sha256Of(FILES['model-1.bin'])) && response.writeHead(404).end() !== undefined;
    const taken = await take(swarm.here, hub, { workers: swarm.group.workers });
    expect(taken.entry).toMatchObject({ digest: digestOf(NEWER), source: 'hub', hub: { repo: 'lab/mouse' } });
    const fromHub = taken.report?.workers.find(({ name }) => name === new URL(hub.url).host)?.bytes ?? 0;
    expect(fromHub).toBe(NEWER['model-2.bin'].length + NEWER['config.json'].length);
    expect(taken.report?.transferredBytes).toBe(Object.values(NEWER).reduce((sum, { length }) => sum + length, 0));
    expect(await swarm.here.verify(digestOf(NEWER))).toMatchObject({ state: 'sound' });
  });

  it('comes from the hub alone where a worker cannot be reached, or has nothing of it', async () => {
    const { hub, swarm } = await scene();
    swarm.workers[0]?.leave();
    const taken = await take(swarm.here, hub, { workers: swarm.group.workers });
    expect(taken.report?.workers.map(({ name }) => name)).toEqual([new URL(hub.url).host]);
    hub.addModel('lab/rat', { files: { ...FILES, 'model-1.bin': seededBytes(MEBI, 5) } });
    const other = await openSwarm(1);
    const rat = await take(other.here, hub, { workers: other.group.workers, reference: { repo: 'lab/rat' } });
    expect(rat.report?.workers).toHaveLength(1);
  });
});
