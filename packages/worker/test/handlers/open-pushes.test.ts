import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { OpenPushes } from '../../src/handlers/open-pushes.ts';
import { MAX_PUSHED_ITEMS, MAX_PUSHES, MAX_PUSHES_PER_TOKEN } from '../../src/limits.ts';

const SMALL = { files: new Array(1), chunks: new Array(1) };

/** Pushes that go on until the test ends them. */
function lab() {
  const pushes = new OpenPushes();
  const ends: (() => void)[] = [];
  const start = (keyId: string, manifest = SMALL): Promise<void> =>
    pushes.run(keyId, manifest, () => new Promise<void>((resolve) => ends.push(resolve)));
  const outcome = async (push: Promise<void>): Promise<string> =>
    await Promise.race([
      push.then(
        () => 'done',
        (error: unknown) => ModelRtcError.from(error).code,
      ),
      new Promise<string>((resolve) => setImmediate(() => resolve('open'))),
    ]);
  return { start, outcome, endOne: () => ends.shift()?.() };
}

it('takes as many pushes of one token as it may have, and another token besides', async () => {
  const { start, outcome, endOne } = lab();
  const first = Array.from({ length: MAX_PUSHES_PER_TOKEN }, () => start('a'));
  expect(await outcome(start('a'))).toBe('busy');
  expect(await outcome(start('b'))).toBe('open');
  endOne();
  await first[0];
  expect(await outcome(start('a'))).toBe('open');
});

it('takes so many pushes of all tokens', async () => {
  const { start, outcome } = lab();
  for (let n = 0; n < MAX_PUSHES; n++) expect(await outcome(start(`token ${n}`))).toBe('open');
  expect(await outcome(start('one more'))).toBe('busy');
});

it('takes the largest manifest alone, and others only beside manifests that leave room', async () => {
  const { start, outcome, endOne } = lab();
  const half = { files: new Array(MAX_PUSHED_ITEMS / 2), chunks: [] };
  const largest = { files: new Array(MAX_PUSHED_ITEMS), chunks: new Array(1) };
  const alone = start('a', largest);
  expect(await outcome(start('b'))).toBe('busy');
  endOne();
  await alone;
  expect(await outcome(start('b', half))).toBe('open');
  expect(await outcome(start('c', half))).toBe('open');
  expect(await outcome(start('d'))).toBe('busy');
});

it('has the limits that docs/protocol.md says', () => {
  const page = readFileSync(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');
  expect(page).toContain(
    `A worker receives ${MAX_PUSHES_PER_TOKEN} pushes of one token at once and ${MAX_PUSHES} of all`,
  );
});
