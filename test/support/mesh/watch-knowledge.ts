/**
 * Says what machines know of their mesh, each time that this changes. Run as a process of its own: `watch-knowledge.ts HOME...`. A line is
 * the JSON of a `Knowledge[]`: machines that know the same are together, so that there is one when all agree.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Mesh, openMesh } from '@model-rtc/mesh';
import type { Knowledge } from './knowledge.ts';

const LOOK_MS = 500;

const homes = process.argv.slice(2);
const meshes = await Promise.all(
  homes.map((root) => openMesh({ root, agent: { name: 'watcher', version: '0' }, usesMdns: false })),
);
for (let said = ''; ; await sleep(LOOK_MS)) {
  const groups = new Map<string, string[]>();
  for (const [i, mesh] of meshes.entries()) {
    const known = JSON.stringify(await knownTo(mesh));
    groups.set(known, [...(groups.get(known) ?? []), homes[i] as string]);
  }
  const line = JSON.stringify([...groups].map(([known, by]) => ({ homes: by, ...JSON.parse(known) })));
  if (line !== said) process.stdout.write(`${line}\n`);
  said = line;
}

async function knownTo(mesh: Mesh): Promise<Omit<Knowledge, 'homes'>> {
  const nodes = await mesh.nodes();
  const models = await mesh.models();
  const held = models.map(({ names, holders }) => [
    names.join(),
    holders
      .map(({ node }) => node.name)
      .sort()
      .join(),
  ]);
  return {
    members: nodes.map(({ name }) => name).sort(),
    present: nodes
      .filter(({ isPresent }) => isPresent)
      .map(({ name }) => name)
      .sort(),
    holders: Object.fromEntries(held.sort()),
  };
}
