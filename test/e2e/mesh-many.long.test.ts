import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { RunningCommand } from '../support/command.ts';
import { makeRandomFile } from '../support/files.ts';
import { openLocalNetworks } from '../support/local-network.ts';
import type { Knowledge } from '../support/mesh/knowledge.ts';
import { type MeshMachine, meshMachine, until } from '../support/mesh-scene.ts';
import { inTurn } from '../support/mesh-swarm.ts';
import { describeWith, useLab } from '../support/suites.ts';
import { WAN_REQUIREMENTS } from '../support/wan.ts';

/**
 * Each is a worker as a person starts it: a process with its own data folder and key. Fifty take six minutes on two processors that do nothing
 * else: set MODEL_RTC_MESH_AGENTS=50.
 */
const AGENTS = Number(process.env.MODEL_RTC_MESH_AGENTS ?? 20);
/** Joined and started at once: more would only wait for a processor. */
const AT_ONCE = 4;
/** Above what two busy processors need for a step of all of them. */
const HANGS_AFTER_MS = 240_000;

const lab = useLab();

interface Agent {
  readonly machine: MeshMachine;
  readonly name: string;
  /** What its worker watches: each folder in it is a model. */
  readonly folder: string;
  readonly models: string[];
}

async function addModel({ folder, models }: Agent, name: string): Promise<void> {
  await makeRandomFile(join(folder, name, 'weights.msgpack'), 2_000);
  models.push(name);
}

/** Agents on one network, with one or two models each: each joined with the same invite, and started its worker. */
async function openAgents(): Promise<{ agents: Agent[]; workers: RunningCommand[] }> {
  const [host] = await openLocalNetworks(lab, [[0]]);
  const open = async (i: number): Promise<Agent> => {
    const machine = await meshMachine(lab, `agent-${i}`, host);
    const agent = { machine, name: machine.name, folder: await lab.folder(), models: [] };
    await addModel(agent, `model-${i}`);
    if (i % 2 === 1) await addModel(agent, `model-${i}-b`);
    return agent;
  };
  const agents = await Promise.all(Array.from({ length: AGENTS }, (_, i) => open(i)));
  const [first, ...others] = agents as [Agent, ...Agent[]];
  await first.machine.succeed(['mesh', 'create', 'lab']);
  const startWorker = ({ machine, folder }: Agent) => machine.startWorker('--watch', folder);
  const worker = await startWorker(first);
  const { invite } = (await first.machine.succeed(['mesh', 'invite', '--json'])).json<{ invite: string }>();
  const join = async (agent: Agent): Promise<RunningCommand> => {
    await agent.machine.succeed(['mesh', 'join', invite]);
    return await startWorker(agent);
  };
  return { agents, workers: [worker, ...(await inTurn(others, join, AT_ONCE))] };
}

/** What is wrong with what these machines know; empty when each knows all of them, all members, and all that they have. */
function wrongIn(known: readonly Knowledge[], agents: readonly Agent[], members: readonly Agent[]): string[] {
  const holders = Object.fromEntries(agents.flatMap(({ name, models }) => models.map((model) => [model, name])).sort());
  const right: Omit<Knowledge, 'homes'> = { members: namesOf(members), present: namesOf(agents), holders };
  return agents.flatMap(({ name, machine: { home } }) => {
    const { homes: _, ...knows } = known.find(({ homes }) => homes.includes(home)) ?? {};
    if (JSON.stringify(knows) === JSON.stringify(right)) return [];
    const { members: has = [], present = [], holders: held = {} } = knows as Partial<Knowledge>;
    const [missing, absent] = [namesOf(members), namesOf(agents)].map((all, i) => difference(all, [has, present][i]));
    const models = difference(Object.keys(holders), Object.keys(held));
    return [`${name} lacks the members ${missing}, the presence of ${absent}, and the models ${models}`];
  });
}

function namesOf(agents: readonly Agent[]): string[] {
  return agents.map(({ name }) => name).sort();
}

function difference(all: readonly string[], has: readonly string[] = []): string {
  return all.filter((one) => !has.includes(one)).join(' ');
}

/** Watches what all machines know, in one process. @returns what they knew when it changed last */
function watchKnowledge(agents: readonly Agent[]): () => Promise<readonly Knowledge[]> {
  const script = new URL('../support/mesh/watch-knowledge.ts', import.meta.url);
  const watcher = (agents[0] as Agent).machine.startScript(
    script,
    agents.map(({ machine }) => machine.home),
  );
  return async () => {
    const { stdout } = watcher;
    const end = stdout.lastIndexOf('\n');
    return end < 0 ? [] : (JSON.parse(stdout.slice(stdout.lastIndexOf('\n', end - 1) + 1, end)) as Knowledge[]);
  };
}

describeWith(WAN_REQUIREMENTS, 'many agents on one network', () => {
  it('all know each other and what each has, and follow those that stop, change or are removed', async () => {
    const { agents, workers } = await openAgents();
    const known = watchKnowledge(agents);
    const untilAllKnow = async (present: readonly Agent[], members: readonly Agent[]) => {
      const wrong = async () => wrongIn(await known(), present, members);
      expect(await until(wrong, (found) => found.length === 0, HANGS_AFTER_MS)).toEqual([]);
    };
    await untilAllKnow(agents, agents);

    const [authority, changing, removed, ...rest] = agents as [Agent, Agent, Agent, ...Agent[]];
    const staying = [authority, changing, removed, ...rest.slice(5)];
    await Promise.all(workers.slice(3, 8).map((worker) => worker.kill()));
    await addModel(changing, 'new-model');
    await untilAllKnow(staying, agents);

    await authority.machine.succeed(['mesh', 'remove', removed.name]);
    const members = agents.filter((agent) => agent !== removed);
    await untilAllKnow(
      staying.filter((agent) => agent !== removed),
      members,
    );
    await workers[2]?.kill();
  }, 600_000);
});
