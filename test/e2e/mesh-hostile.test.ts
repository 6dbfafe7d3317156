import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import type { RunningCommand } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import {
  addModel,
  arePresent,
  isHeldBy,
  joinAll,
  type MeshMachine,
  meshMachinesOn,
  until,
} from '../support/mesh-scene.ts';
import { residentMemoryBytes } from '../support/process-memory.ts';
import { IGNORED, importModel, type TransferJson } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

const lab = useLab();
/** Above what a worker takes that stays within the bounds of a mesh, with what Node keeps of what it read. */
const MOST_GROWTH_BYTES = 400_000_000;
const MOST_DISK_BYTES = 100_000_000;

interface Scene {
  readonly anna: MeshMachine;
  readonly ben: MeshMachine;
  readonly evil: MeshMachine;
  readonly workers: readonly RunningCommand[];
  readonly invite: string;
}

/** Two honest machines with workers, and a third that joined with the same invite. */
async function openScene(): Promise<Scene> {
  const { machines } = await meshMachinesOn(lab, [[0], [0], [0]], ['anna', 'ben', 'evil']);
  const [anna, ben, evil] = machines as [MeshMachine, MeshMachine, MeshMachine];
  const invite = await joinAll([anna, ben, evil]);
  const workers = await Promise.all([anna.startWorker(), ben.startWorker()]);
  for (const machine of [anna, ben]) await until(machine.peers, (found) => arePresent(found, ['anna', 'ben']));
  return { anna, ben, evil, workers, invite };
}

/** Lets the third machine do its worst to the first, to the end. @returns what it wrote */
async function misbehave({ anna, evil, invite }: Scene, work: 'attack' | 'come-back'): Promise<string> {
  const { key, urls } = (await anna.peers()).find(({ isSelf }) => isSelf) ?? {};
  const script = new URL('../support/mesh/hostile-member.ts', import.meta.url);
  const running = evil.startScript(script, [evil.home, work, JSON.stringify({ key, urls }), invite]);
  await running.waitForStdout(/^done$/m, { timeoutMs: 180_000 });
  return running.stdout;
}

async function diskBytes(folder: string): Promise<number> {
  return Number.parseInt((await execa('du', ['-sb', folder])).stdout, 10);
}

describeWith(WAN_REQUIREMENTS, 'a hostile member', () => {
  it('takes no more than its share of the others, is named, and once it is removed it stays out', async () => {
    const scene = await openScene();
    const { anna, ben, workers } = scene;
    const before = await Promise.all(workers.map(({ pid }) => residentMemoryBytes(pid)));
    const tried = await misbehave(scene, 'attack');
    expect(tried).toContain('a flood of records: ');
    await addModel(lab, anna, 'mouse');
    await until(ben.models, (found) => isHeldBy(found, 'mouse', ['anna']));
    await addModel(lab, ben, 'rat');
    await until(anna.models, (found) => isHeldBy(found, 'rat', ['ben']));
    for (const [i, { pid }] of workers.entries())
      expect((await residentMemoryBytes(pid)) - (before[i] as number)).toBeLessThan(MOST_GROWTH_BYTES);
    for (const { home } of [anna, ben]) expect(await diskBytes(join(home, 'mesh'))).toBeLessThan(MOST_DISK_BYTES);
    const peers = await anna.peers();
    expect(peers.find(({ name }) => name.startsWith('evil'))?.problem).toMatch(/than a member may|clock|not valid/);
    expect(JSON.stringify([peers, await anna.models()])).not.toMatch(/\\u001b|\u202e|passwd/);
    expect(warnings(workers).length).toBeLessThan(10);

    await anna.succeed(['mesh', 'remove', 'evil']);
    await until(ben.peers, (found) => found.length === 2);
    const warned = workers.map((worker) => warnings([worker]).length);
    const back = await misbehave(scene, 'come-back');
    expect(back).not.toContain('taken');
    expect((await anna.peers()).map(({ name }) => name).sort()).toEqual(['anna', 'ben']);
    for (const [i, worker] of workers.entries()) expect(warnings([worker]).slice(warned[i]).length).toBeLessThan(2);
  });
});

/** What the workers wrote for people besides their start. */
function warnings(workers: readonly RunningCommand[]): string[] {
  return workers.flatMap(({ stderr }) => stderr.split('\n').filter((line) => /warn|problem|refus|fail/i.test(line)));
}

/** Puts other bytes in the file's place, and leaves size and time as a failing disk does: to the nanosecond. */
async function spoil(path: string, bytes: number): Promise<void> {
  const stamp = join(await lab.folder(), 'stamp');
  await execa('touch', ['-r', path, stamp]);
  await writeFile(path, randomBytes(bytes));
  await execa('touch', ['-r', stamp, path]);
}

describeWith(WAN_REQUIREMENTS, 'a member that serves wrong bytes', () => {
  it('is found by the digests, named and trusted less, and asked after the others from then on', async () => {
    const bytes = 24_000_000;
    const { machines } = await meshMachinesOn(lab, [[0], [0], [0]], ['honest', 'liar', 'cleo']);
    const [honest, liar, cleo] = machines as [MeshMachine, MeshMachine, MeshMachine];
    const folder = join(await lab.folder(), 'mouse');
    await makeRandomFile(join(folder, 'weights.msgpack'), bytes);
    await joinAll([honest, liar, cleo]);
    const copies = await Promise.all([honest, liar].map((one) => importModel(one, folder, 'mouse', '--copy')));
    await honest.succeed(['settings', 'set', 'limit.up', '6MB']);
    await Promise.all([honest.startWorker(), liar.startWorker(), cleo.startWorker()]);
    await until(cleo.models, (found) => isHeldBy(found, 'mouse', ['honest', 'liar']));
    await spoil(join(copies[1]?.localPath ?? '', 'weights.msgpack'), bytes);
    const pulled = await cleo.succeed(['client', 'pull-model', 'mesh:mouse', '--json', ...CONSENT]);
    const { entry, workers } = pulled.json<TransferJson>();
    expect(await treeDigest(entry.localPath, IGNORED)).toEqual(await treeDigest(folder));
    expect(pulled.stderr).toContain('liar');
    expect(workers.find(({ name }) => name === 'liar')?.bytes ?? 0).toBeLessThan(bytes);
    const peers = await cleo.peers();
    const reliabilityOf = (name: string) => peers.find((one) => one.name === name)?.reliability;
    expect(reliabilityOf('honest')).toBe(1);
    expect(reliabilityOf('liar')).toBeLessThan(0.35);
    await cleo.succeed(['client', 'delete-model', 'mouse', '--yes']);
    const again = await cleo.succeed(['client', 'pull-model', 'mesh:mouse', '--json', ...CONSENT]);
    expect(again.json<TransferJson>().workers[0]?.name).toBe('honest');
  });
});

/** Nobody is at a terminal to be asked about the members. */
const CONSENT = ['--consent'] as const;
