import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../fuzz/mutate.ts';
import type { CommandResult, RunningCommand } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import { createLab, type Lab } from '../support/lab.ts';
import type { Machine } from '../support/machine.ts';
import {
  IGNORED,
  importModel,
  type ModelJson,
  startSignaling,
  startWorker,
  type TransferJson,
} from '../support/scene.ts';

/** Each seed is one round: what is moved, over which lane, which way, and what is killed when. */
export interface ChaosRound {
  readonly seed: number;
  readonly lane: (typeof LANES)[number];
  readonly way: (typeof WAYS)[number];
}

/** What happened in a round without a fault. */
export interface ChaosResult {
  readonly kills: readonly Victim[];
  /** Whether the last attempt found what an earlier one had brought. */
  readonly resumed: boolean;
}

const LANES = ['direct', 'webrtc', 'relay'] as const;
const WAYS = ['pull', 'push'] as const;
const VICTIMS = ['client', 'client', 'worker', 'signaling'] as const;
type Victim = (typeof VICTIMS)[number];

const MEBIBYTE = 1024 * 1024;
/** Of the last chunks, the journal may not know yet when the process is killed. */
const SURELY_KEPT_BYTES = 4 * MEBIBYTE;
const MOST_KILLS = 4;
/** Long enough for a kill before, in and after each part of a transfer, which takes some 3 s at its limit. */
const LONGEST_PAUSE_MS = 2000;
const LIMIT = '5MB';
/** So often a command is run again, where the kills end it. A transfer that needs more does not resume. */
const MOST_ATTEMPTS = MOST_KILLS + 4;
/** A command that loses the other side may end with these; anything else is a fault. */
const LOST_EXIT_CODES: readonly (number | undefined)[] = [5, 9];

/** The rounds of a seed: every lane, either way, in turn. */
export function roundOf(seed: number, number: number): ChaosRound {
  const lane = LANES[number % LANES.length] as (typeof LANES)[number];
  const way = WAYS[Math.floor(number / LANES.length) % WAYS.length] as (typeof WAYS)[number];
  return { seed: (seed + number) % 2 ** 31, lane, way };
}

/**
 * Kills either side and the signaling server at random while a model moves, with kill -9.
 *
 * @throws Error when anything half-done can be seen, a transfer does not go on where it was, or another content arrives
 */
export async function runRound(round: ChaosRound): Promise<ChaosResult> {
  await using lab = createLab();
  const random = createRandom(round.seed);
  const scene = await openScene(lab, round, random);
  const kills: Victim[] = [];
  const killer = { left: 1 + Math.floor(random() * MOST_KILLS), random, kills };
  /** What an attempt before this one had brought. */
  let broughtBytes = 0;
  for (let attempt = 1; ; attempt++) {
    const command = scene.transfer();
    const ended = await untilEnded(scene, command, killer);
    await requireNothingHalfDone(scene);
    if (ended.exitCode === 0) {
      const resumed = requireResumed(ended, scene, broughtBytes);
      await requireArrived(scene);
      return { kills, resumed };
    }
    broughtBytes = Math.max(broughtBytes, doneBytesOf(ended));
    if (ended.signal !== 'SIGKILL' && !LOST_EXIT_CODES.includes(ended.exitCode)) throw faultOf('it ended so', ended);
    if (attempt === MOST_ATTEMPTS) throw faultOf('it never succeeded', ended);
  }
}

interface ChaosScene {
  readonly original: string;
  readonly model: ModelJson;
  readonly receiver: Machine;
  transfer(): RunningCommand;
  kill(victim: Exclude<Victim, 'client'>): Promise<void>;
}

async function openScene(lab: Lab, { lane, way }: ChaosRound, random: () => number): Promise<ChaosScene> {
  let server = await startSignaling(lab);
  const workerMachine = await lab.machine('worker');
  let worker = await startWorker(workerMachine, server.url);
  const client = await lab.machine('client', { env: { MODEL_RTC_SESSION: worker.session } });
  const original = join(await lab.folder(), 'model');
  for (let file = 0; file <= Math.floor(random() * 4); file++)
    await makeRandomFile(join(original, `part-${file}.msgpack`), 1 + Math.floor((1 + random() * 6) * MEBIBYTE));
  const [sender, receiver] = way === 'pull' ? [workerMachine, client] : [client, workerMachine];
  const model = await importModel(sender, original, 'model', '--as-one');
  return {
    original,
    model,
    receiver,
    transfer: () => client.start(['client', `${way}-model`, 'model', '--lane', lane, '--limit', LIMIT, '--json']),
    async kill(victim) {
      if (victim === 'worker') {
        await worker.process.kill('SIGKILL');
        worker = await startWorker(workerMachine, server.url);
      } else {
        await server.process.kill('SIGKILL');
        server = await startSignaling(lab, server.port);
      }
    },
  };
}

interface Killer {
  left: number;
  readonly random: () => number;
  readonly kills: Victim[];
}

/** Runs a command to its end, and kills something now and then until it has. */
async function untilEnded(scene: ChaosScene, command: RunningCommand, killer: Killer): Promise<CommandResult> {
  let hasEnded = false;
  const ended = command.exited.finally(() => {
    hasEnded = true;
  });
  while (killer.left > 0) {
    await Promise.race([ended, sleep(killer.random() * LONGEST_PAUSE_MS)]);
    if (hasEnded) break;
    killer.left -= 1;
    const victim = VICTIMS[Math.floor(killer.random() * VICTIMS.length)] as Victim;
    killer.kills.push(victim);
    if (victim === 'client') return await command.kill('SIGKILL');
    await scene.kill(victim);
  }
  return await ended;
}

/** A model that is listed is whole, and nothing lies where models lie that is not listed. */
async function requireNothingHalfDone({ receiver, original, model }: ChaosScene): Promise<void> {
  const listed = await receiver.succeed(['client', 'list-models', '--json']);
  const models = listed.json<{ models: (ModelJson & { status: string })[] }>().models;
  for (const { digest, localPath, status } of models) {
    if (digest !== model.digest || status !== 'completed')
      throw new Error(`A model that nobody sent: ${listed.stdout}`);
    await requireEqual(localPath, original);
  }
  const folders = (await readdir(join(receiver.home, 'models'), { withFileTypes: true })).filter((item) =>
    item.isDirectory(),
  );
  if (folders.length !== models.length) throw new Error(`${folders.length} folders of ${models.length} models`);
}

/** The counts make up the model, and what earlier attempts had brought was not sent again. */
function requireResumed(ended: CommandResult, { model }: ChaosScene, broughtBytes: number): boolean {
  const { transferredBytes, reusedBytes, resumedBytes, outcome } = ended.json<TransferJson>();
  if (outcome === 'already_there') return broughtBytes > 0;
  if (transferredBytes + reusedBytes + resumedBytes < model.size)
    throw faultOf('bytes are missing in its counts', ended);
  if (broughtBytes >= SURELY_KEPT_BYTES && resumedBytes === 0) throw faultOf('it began anew', ended);
  return resumedBytes > 0;
}

/** How far an attempt said that it was. */
function doneBytesOf({ stdout }: CommandResult): number {
  return Math.max(0, ...[...stdout.matchAll(/"doneBytes":(\d+)/g)].map(([, bytes]) => Number(bytes)));
}

/** The model is there, with its content, and whatever the transfer needed on the way is gone. */
async function requireArrived({ receiver, model, original }: ChaosScene): Promise<void> {
  const shown = await receiver.succeed(['client', 'model-info', model.digest, '--json']);
  await requireEqual(shown.json<{ entry: ModelJson }>().entry.localPath, original);
  const left = await readdir(join(receiver.home, 'staging'));
  if (left.length > 0) throw new Error(`Left in staging: ${left.join(', ')}`);
  const odd = (await readdir(join(receiver.home, 'models'))).filter((name) => name.endsWith('.tmp'));
  if (odd.length > 0) throw new Error(`Left in models: ${odd.join(', ')}`);
}

async function requireEqual(folder: string, original: string): Promise<void> {
  const hashes = async (path: string, options = {}): Promise<string> =>
    JSON.stringify([...(await treeDigest(path, options))].map(([name, { sha256 }]) => [name, sha256]));
  if ((await hashes(folder, IGNORED)) !== (await hashes(original))) throw new Error(`${folder} is not what was sent`);
}

function faultOf(what: string, { exitCode, signal, stdout, stderr }: CommandResult): Error {
  return new Error(
    `${what} (${exitCode ?? signal})\n--- stdout\n${stdout.slice(-2000)}\n--- stderr\n${stderr.slice(-2000)}`,
  );
}
