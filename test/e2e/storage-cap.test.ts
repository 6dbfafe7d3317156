import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeRandomFile } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/mesh-scene.ts';
import { errorOf, type ModelJson } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const SIZE = 1_000_000;
const lab = useLab();

interface AuditJson {
  readonly decisions: readonly { readonly event: string; readonly by?: string; readonly bytes?: number }[];
}

async function makeModel(name: string): Promise<string> {
  const path = join(await lab.folder(), `${name}.bin`);
  await makeRandomFile(path, SIZE);
  return path;
}

const importArgs = (path: string, ...args: string[]): string[] => [
  ...['client', 'import-model', path, '--as-is', '--model-type', 'test', '--json', ...args],
];

async function models(machine: Machine): Promise<(string | undefined)[]> {
  const { json } = await machine.succeed(['client', 'list-models', '--json']);
  return json<{ models: ModelJson[] }>().models.map(({ alias }) => alias);
}

async function decided(machine: Machine): Promise<AuditJson['decisions']> {
  return (await machine.succeed(['mesh', 'audit', '--json'])).json<AuditJson>().decisions;
}

it('makes room for a copy that is imported, removes no named model, and refuses what does not fit', async () => {
  const machine = await lab.machine('anna');
  await machine.succeed(['settings', 'set', 'storage.cap', '2.5MB']);
  await machine.succeed(importArgs(await makeModel('mouse'), '--copy', '--alias', 'mouse'));
  await machine.succeed(importArgs(await makeModel('old'), '--copy', '--alias', 'mouse', '--alias-conflict', 'keep'));
  expect((await models(machine)).sort()).toEqual(['mouse', undefined]);
  const rat = importArgs(await makeModel('rat'), '--copy', '--alias', 'rat');
  // A model that came a moment ago stays.
  const imported = await until(
    () => machine.run(rat),
    ({ exitCode }) => exitCode === 0,
  );
  expect(imported.stderr).toContain('to make room: storage.cap is 2.5 MB');
  expect((await models(machine)).sort()).toEqual(['mouse', 'rat']);
  const refused = await machine.run(importArgs(await makeModel('cat'), '--copy', '--alias', 'cat'));
  expect({ exitCode: refused.exitCode, ...errorOf(refused) }).toMatchObject({
    exitCode: 7,
    code: 'storage_full',
    message: expect.stringContaining('2 have an alias, so they stay'),
  });
  expect(await readdir(join(machine.home, 'staging'))).toEqual([]);
  // Links take no room.
  await machine.succeed(importArgs(await makeModel('dog'), '--alias', 'dog'));
  const [last, ...before] = await decided(machine);
  expect(last).toMatchObject({ event: 'refusal', by: 'storage.cap', bytes: SIZE });
  expect(before.filter(({ event }) => event === 'eviction')).toMatchObject([{ by: 'storage.cap', bytes: SIZE }]);
});
