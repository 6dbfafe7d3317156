import { afterAll, afterEach, expect, it } from '@jest/globals';
import { openRegistry, type Registry } from '@model-rtc/registry';
import { PYTHON, program } from '../../../../test/support/requirements.ts';
import { describeWith } from '../../../../test/support/suites.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { differences } from './differences.ts';
import { makeFixture, nameOf } from './fixture.ts';

const python = program('python3', 'python3');
const fixture = python.met ? makeFixture(PYTHON) : undefined;
const checks = fixture?.checks ?? [];
const opened: Registry[] = [];

afterEach(async () => await Promise.all(opened.splice(0).map((registry) => registry.close())));
afterAll(() => fixture?.remove());

async function check(name: string): Promise<string[]> {
  const found = checks.find((one) => nameOf(one) === name);
  if (fixture === undefined || found === undefined) throw new Error(`No such check: ${name}`);
  const registry = await openRegistry({ home: await temporaryFolder() });
  opened.push(registry);
  return await differences(registry, fixture.folder, found);
}

describeWith([python], 'importing what people have on their disks', () => {
  const names = checks.map(nameOf);
  const why = new Map(checks.map((one) => [nameOf(one), one.why]));

  it.each(names)('%s', async (name) => {
    expect({ why: why.get(name), differences: await check(name) }).toEqual({ why: why.get(name), differences: [] });
  });
});
