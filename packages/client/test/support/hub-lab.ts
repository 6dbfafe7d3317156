import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { HubProvider, type HubProviderOptions, openHub } from '@model-rtc/hub';
import { type Clock, type Digest, silentLog, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { ModelProvider } from '@model-rtc/transfer';
import type { LocalHub } from '../../../../test/support/hub/local-hub.ts';
import { digestOf } from '../../../../test/support/registry-folder.ts';
import { type PullModelOptions, pullFromProviders } from '../../src/index.ts';
import { atEnd, openTestRegistry, seededBytes } from './lab.ts';

const MEBI = 1024 * 1024;

/** A model as hubs have them: two large files, and small ones. */
export const HUB_FILES: Readonly<Record<string, Buffer>> = {
  'model-00001-of-00002.bin': seededBytes(5 * MEBI + 3, 1),
  'model-00002-of-00002.bin': seededBytes(3 * MEBI, 2),
  'config.json': Buffer.from('{"model_type":"mouse"}'),
  'tokenizer/vocab.txt': seededBytes(900, 3),
  empty: Buffer.alloc(0),
};
export const HUB_BYTES = Object.values(HUB_FILES).reduce((sum, bytes) => sum + bytes.length, 0);
export const HUB_REF = 'hf:lab/mouse';

/** Waits a hundredth of the time that it should. */
const hurried: Clock = { ...systemClock, after: (delayMs, call) => systemClock.after(delayMs / 100, call) };

/** Asks the hub for the model, as a program does that finds the hub by its environment. */
export async function hubProvider(
  hub: LocalHub,
  { env = {}, ...options }: Partial<HubProviderOptions> & { readonly env?: Record<string, string> } = {},
): Promise<HubProvider> {
  const opened = openHub({ env: { ...hub.env, ...env }, clock: hurried, random: () => 0, bodyGapMs: 300 });
  const model = await opened.model({ repo: 'lab/mouse' });
  const provider = new HubProvider({ hub: opened, model, clock: hurried, random: () => 0, ...options });
  atEnd(() => provider.close());
  return provider;
}

/** Pulls the model, and checks every byte of what is installed. */
export async function pullFromHub(
  providers: readonly ModelProvider[],
  {
    here,
    files = HUB_FILES,
    ref = HUB_REF,
    ...options
  }: PullModelOptions & {
    readonly here?: Registry | undefined;
    readonly files?: typeof HUB_FILES;
    readonly ref?: string;
  } = {},
) {
  const registry = here ?? (await openTestRegistry());
  const context = { registry, log: silentLog, clock: systemClock, random: () => 0, limits: {} };
  const pulled = await pullFromProviders(context, providers, ref, { isName: true, ...options });
  expect(pulled.entry.digest).toBe(digestOf(files));
  for (const [path, bytes] of Object.entries(files)) {
    expect((await readFile(join(pulled.entry.localPath, path))).equals(bytes)).toBe(true);
  }
  expect(await registry.verify(pulled.entry.digest as Digest)).toMatchObject({ state: 'sound' });
  return { pulled, registry };
}
