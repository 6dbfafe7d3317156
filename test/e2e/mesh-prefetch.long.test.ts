import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { RunningCommand } from '../support/command.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/mesh-scene.ts';
import { importModel, type ModelJson, startSignaling } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab();

interface RuleJson {
  readonly rule: { readonly id: string };
  readonly progress: {
    readonly done: readonly { readonly name: string; readonly outcome: string }[];
    readonly fetching?: { readonly name: string };
  };
  readonly waitsFor: string;
}

async function startMember(machine: Machine, signaling: string): Promise<RunningCommand> {
  const worker = machine.start(['worker', '--name', machine.name, '--no-mdns', '--signaling', signaling, '--json']);
  await worker.waitForStdout(/^\{.*\}$/m);
  return worker;
}

async function addModel(machine: Machine, alias: string, bytes: number): Promise<void> {
  const path = join(await lab.folder(), 'weights.bin');
  await writeFile(path, randomBytes(bytes));
  await importModel(machine, path, alias, '--as-is', '--tag', 'mouse');
}

async function onlyRule(machine: Machine): Promise<RuleJson> {
  const { rules } = (await machine.succeed(['mesh', 'prefetch', 'list', '--json'])).json<{ rules: RuleJson[] }>();
  return rules[0] as RuleJson;
}

async function aliases(machine: Machine): Promise<(string | undefined)[]> {
  const listed = await machine.succeed(['client', 'list-models', '--json']);
  return listed.json<{ models: ModelJson[] }>().models.map(({ alias }) => alias);
}

interface TransfersJson {
  readonly transfers: readonly { readonly id: string; readonly kind: string; readonly priority: string }[];
}

it('fetches what appears on another machine, once, with the consent of a person, and until one cancels it', async () => {
  const { url: signaling } = await startSignaling(lab);
  const [anna, ben] = [await lab.machine('anna'), await lab.machine('ben')];
  await anna.succeed(['mesh', 'create', 'lab']);
  await startMember(anna, signaling);
  const invited = await anna.succeed(['mesh', 'invite', '--json']);
  await ben.succeed(['mesh', 'join', invited.json<{ invite: string }>().invite]);
  const added = await ben.succeed(['mesh', 'prefetch', 'add', '--tag', 'mouse', '--json']);
  const { id } = added.json<{ rule: { id: string } }>().rule;
  expect((await onlyRule(ben)).waitsFor).toBe('the worker: model-rtc worker');
  await startMember(ben, signaling);
  await addModel(anna, 'mouse', 1_000_000);
  await until(
    () => onlyRule(ben),
    ({ waitsFor }) => /^mouse: it needs consent for .*mesh consent anna/.test(waitsFor),
  );
  await ben.succeed(['mesh', 'consent', 'anna']);
  await until(
    () => onlyRule(ben),
    ({ progress }) => progress.done.length === 1,
  );
  expect(await aliases(ben)).toEqual(['mouse']);
  // What a person deletes stays deleted, though the rule goes on.
  await ben.succeed(['client', 'delete-model', 'mouse', '--yes']);
  await addModel(anna, 'rat', 2_000_000);
  await until(
    () => onlyRule(ben),
    ({ progress }) => progress.done.length === 2,
  );
  expect(await aliases(ben)).toEqual(['rat']);
  await ben.succeed(['settings', 'set', 'limit.down', '1MB']);
  await addModel(anna, 'large', 90_000_000);
  await until(
    () => onlyRule(ben),
    ({ progress }) => progress.fetching?.name === 'large',
  );
  const running = () => ben.succeed(['transfers', 'list', '--json']).then((listed) => listed.json<TransfersJson>());
  const { transfers } = await until(running, (now) => now.transfers.length > 0);
  expect(transfers).toMatchObject([{ kind: 'prefetch', priority: 'low' }]);
  await ben.succeed(['transfers', 'cancel', transfers[0]?.id as string]);
  const { progress } = await until(
    () => onlyRule(ben),
    (now) => now.progress.done.length === 3,
  );
  expect(progress.done.map(({ name, outcome }) => `${outcome} ${name}`)).toEqual([
    'cancelled large',
    'fetched rat',
    'fetched mouse',
  ]);
  const { decisions } = (await ben.succeed(['mesh', 'audit', '--json'])).json<{ decisions: AuditJson[] }>();
  expect(decisions.filter(({ event }) => event === 'prefetch').map(({ what }) => what)).toEqual([
    'stopped fetching large: a person cancelled it',
    'fetched rat from anna',
    'fetched mouse from anna',
    expect.stringMatching(/^did not fetch mouse: it needs consent for anna/),
  ]);
  await ben.succeed(['mesh', 'prefetch', 'remove', id]);
  expect(await onlyRule(ben)).toBeUndefined();
}, 600_000);

interface AuditJson {
  readonly event: string;
  readonly what: string;
}
