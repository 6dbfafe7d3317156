import { setMaxListeners } from 'node:events';
import type { RunningCommand } from '../../test/support/command.ts';
import { createLab } from '../../test/support/lab.ts';
import { isHeldBy, type MeshMachine, until } from '../../test/support/mesh-scene.ts';
import { inTurn, type MeshSwarm, openMeshSwarm, pulled, startPull } from '../../test/support/mesh-swarm.ts';
import { processorSeconds } from '../../test/support/process-time.ts';
import { assertMet } from '../../test/support/requirements.ts';
import { WAN_REQUIREMENTS } from '../../test/support/wan.ts';
import { type Benchmark, besideRow, type Row } from '../support/benchmark.ts';
import { killOn } from '../support/commands.ts';
import { lastUntilEnd } from '../support/until-end.ts';

const NODES = 20;
const QUICK_NODES = 3;
const MEGABYTES = 24;
const QUICK_MEGABYTES = 6;
const REPEATS = 2;
/** So slow that two processors, which twenty nodes share, have time for what each of them does: to start forty programs takes them half a minute. */
const SEED_RATE = '250kB';
/** The issue wants about one and a half: a tenth is for starting twenty commands on two processors. */
const MOST_DOWNLOADS = 1.6;
const MOST_MODELS = 1.5;
/** A bound for a pull that hangs, far above what the slowest takes. */
const LONGEST_MS = 10 * 60_000;
/** Reading the counts of forty processes must not keep a processor busy. */
const READ_INTERVAL_MS = 250;

export const swarm: Benchmark = {
  name: 'swarm',
  title: `${NODES} nodes of a mesh, each with a worker and a pull on one local network, fetch ${MEGABYTES} MB from a node that sends ${SEED_RATE} a second, beside one of them alone`,
  async run({ quick }, say) {
    assertMet(WAN_REQUIREMENTS);
    const nodes = quick ? QUICK_NODES : NODES;
    const megabytes = quick ? QUICK_MEGABYTES : MEGABYTES;
    const alone: Fetched[] = [];
    const together: Fetched[] = [];
    for (let repeat = 1; repeat <= (quick ? 1 : REPEATS); repeat += 1) {
      await using lab = createLab();
      say(`repeat ${repeat}: ${nodes} nodes start`);
      const opened = await openMeshSwarm(lab, { nodes, modelBytes: megabytes * 1e6, seedRate: SEED_RATE });
      say('one fetches alone');
      alone.push(await fetchBy(opened, [0]));
      await forget(opened, 0);
      say('all fetch');
      together.push(await fetchBy(opened, [...opened.others.keys()]));
    }
    return rowsOf({ nodes, megabytes, alone, together });
  },
};

/** What it took some nodes to have the model. */
interface Fetched {
  readonly seconds: number;
  /** By the seed, whatever for. */
  readonly sentMegabytes: number;
  /** Of the pull and the worker of each node, on average. */
  readonly processorSeconds: number;
}

async function fetchBy(swarm: MeshSwarm, places: readonly number[]): Promise<Fetched> {
  const workers = places.map((place) => swarm.workers[place] as RunningCommand);
  const sentBefore = await swarm.sentBySeed();
  const workedBefore = await sumOf(workers.map(({ pid }) => processorSeconds(pid)));
  const startedAtMs = performance.now();
  const limit = AbortSignal.timeout(LONGEST_MS);
  // Each of the pulls listens to it.
  setMaxListeners(places.length, limit);
  const pulls = places.map((place) => killOn(limit, startPull(swarm.others[place] as MeshMachine)));
  const worked = pulls.map((pull) => lastUntilEnd(pull, processorSeconds, READ_INTERVAL_MS));
  for (const { exited } of pulls) pulled(await exited);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const workedAfter = await sumOf([...worked, ...workers.map(({ pid }) => processorSeconds(pid))]);
  return {
    seconds,
    sentMegabytes: ((await swarm.sentBySeed()) - sentBefore) / 1e6,
    processorSeconds: (workedAfter - workedBefore) / places.length,
  };
}

/** Deletes the model at a node, and waits until no other counts on it. */
async function forget({ others }: MeshSwarm, place: number): Promise<void> {
  await others[place]?.succeed(['client', 'delete-model', 'mouse', '--yes']);
  await inTurn(others, (machine) => until(machine.models, (models) => isHeldBy(models, 'mouse', ['seed'])));
}

interface Measured {
  readonly nodes: number;
  readonly megabytes: number;
  readonly alone: readonly Fetched[];
  readonly together: readonly Fetched[];
}

function rowsOf({ nodes, megabytes, alone, together }: Measured): Row[] {
  const beside = (of: (fetched: Fetched) => number) => ({
    samples: together.map(of),
    beside: { samples: alone.map(of), failed: undefined },
  });
  const size = together.map(() => megabytes);
  return [
    besideRow({
      ...{ what: `the last of ${nodes} nodes has ${megabytes} MB`, unit: 's' },
      ...beside(({ seconds }) => seconds),
      required: { of: 'ratio', atMost: MOST_DOWNLOADS },
    }),
    besideRow({
      ...{ what: 'sent by the seed, beside the model', unit: 'MB' },
      samples: together.map(({ sentMegabytes }) => sentMegabytes),
      beside: { samples: size, failed: undefined },
      required: { of: 'ratio', atMost: MOST_MODELS },
    }),
    besideRow({
      ...{ what: 'processor time of a node: its worker and its pull', unit: 's' },
      ...beside(({ processorSeconds }) => processorSeconds),
    }),
  ];
}

async function sumOf(values: readonly Promise<number>[]): Promise<number> {
  return (await Promise.all(values)).reduce((sum, value) => sum + value, 0);
}
