import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { type Digest, ModelRtcError, silentLog } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { StagedPushes } from '../../src/handlers/staged-pushes.ts';

const digest = (n: number): Digest => n.toString(16).padStart(64, '0') as Digest;

async function lab(maxBytes = 100) {
  const root = await temporaryFolder();
  const paths = { staging: join(root, 'staging'), pushesFile: join(root, 'pushes.json') };
  await mkdir(paths.staging);
  const open = () => new StagedPushes({ paths, log: silentLog, maxBytes });
  let pushes = open();
  const start = (keyId: string, n: number, bytes: number, work: () => Promise<void> = async () => undefined) =>
    pushes.run({ keyId, digest: digest(n), bytes }, work).then(
      () => 'done',
      (error: unknown) => ModelRtcError.from(error).code,
    );
  /** A push that leaves something, as one that is broken off does. */
  const breakOff = (keyId: string, n: number, bytes: number) =>
    start(keyId, n, bytes, async () => {
      await mkdir(join(paths.staging, digest(n)));
      await writeFile(join(paths.staging, digest(n), 'journal'), 'chunks');
    });
  const left = async () => (await readdir(paths.staging)).map((name) => Number.parseInt(name, 16));
  const restart = () => {
    pushes = open();
  };
  return { start, breakOff, left, restart, paths };
}

it('drops the oldest pushes of a token that were broken off where it has too much staged, and no others', async () => {
  const { start, breakOff, left } = await lab();
  await breakOff('a', 1, 40);
  await breakOff('a', 2, 40);
  await breakOff('b', 3, 90);
  expect(await start('a', 4, 50)).toBe('done');
  expect(await left()).toEqual([2, 3]);
});

it('knows them after the worker has restarted, and does without a list that is damaged', async () => {
  const { start, breakOff, left, restart, paths } = await lab();
  await breakOff('a', 1, 90);
  restart();
  await start('a', 2, 20);
  expect(await left()).toEqual([]);
  await breakOff('a', 3, 90);
  await writeFile(paths.pushesFile, '{');
  restart();
  expect(await start('a', 4, 20)).toBe('done');
  expect(await left()).toEqual([3]);
});

it('goes on with a push that was broken off, and leaves it', async () => {
  const { start, breakOff, left } = await lab();
  await breakOff('a', 1, 90);
  expect(await start('a', 1, 90)).toBe('done');
  expect(await left()).toEqual([1]);
});

it('takes no more than that at once, but a larger model alone', async () => {
  const { start } = await lab();
  let end = (): void => undefined;
  let begun = (): void => undefined;
  const isOpen = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const first = start('a', 1, 500, () => {
    begun();
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  await isOpen;
  expect(await start('a', 2, 1)).toBe('busy');
  expect(await start('b', 3, 90)).toBe('done');
  end();
  expect(await first).toBe('done');
  expect(await start('a', 2, 1)).toBe('done');
});
