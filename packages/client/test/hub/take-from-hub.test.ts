import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openHub, parseHubReference } from '@model-rtc/hub';
import { type Alias, type Digest, silentLog, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { type LocalHub, startHub } from '../../../../test/support/hub/local-hub.ts';
import { SMALL_MODEL, safetensorsFile, smallModel } from '../../../../test/support/hub/small-model.ts';
import { sample } from '../../../../test/support/model-samples.ts';
import { rejection } from '../../../../test/support/rejection.ts';
import { openTestRegistry } from '../../../../test/support/test-registry.ts';
import { torchSample } from '../../../../test/support/torch-samples.ts';
import { findNewer, type TakeOptions, takeFromHub, WELL_KNOWN_FAMILIES } from '../../src/index.ts';

const REPO = 'Qwen/Qwen2.5-0.5B';

interface Scene {
  readonly hub: LocalHub;
  readonly registry: Registry;
  take(reference: string, options?: Partial<TakeOptions>): ReturnType<typeof takeFromHub>;
}

async function scene(): Promise<Scene> {
  const [hub, registry] = [await startHub(), await openTestRegistry()];
  hub.addModel(REPO, { files: smallModel(), ...SMALL_MODEL });
  return {
    hub,
    registry,
    take: async (reference, options = {}) =>
      await takeFromHub(
        { registry, log: silentLog, clock: systemClock, random: Math.random, limits: {} },
        {
          hub: openHub({ env: hub.env }),
          reference: parseHubReference(reference),
          families: WELL_KNOWN_FAMILIES,
          acceptLicense: true,
          ifTaken: 'cancel',
          ...options,
        },
      ),
  };
}

describe('taking a model from a hub', () => {
  it('registers it under its own name, with where it comes from, and without the code of the repository', async () => {
    const { hub, registry, take } = await scene();
    const { entry, outcome, leftOut, report } = await take(`hf:${REPO}`);
    const commit = hub.repositories.get(REPO)?.commitOf('main') as string;
    expect(outcome).toBe('imported');
    expect(entry).toMatchObject({
      ...{ name: 'qwen2.5-0.5b', alias: 'qwen2-5-0-5b', modelType: 'qwen2', backbone: 'Qwen2ForCausalLM' },
      ...{ source: 'hub', license: 'apache-2.0', parameters: 1000, displayStatus: 'completed' },
      lineage: { fineTunedFrom: 'Qwen/Qwen2.5-Base' },
      hub: { repo: REPO, commit, endpoint: hub.url },
      licenseAccepted: { license: 'apache-2.0' },
      checkpointPath: 'model.safetensors',
    });
    expect(leftOut.map(({ path }) => path)).toEqual(['.gitattributes', 'modeling_qwen.py']);
    expect(report?.transferredBytes).toBe(entry.size);
    expect(hub.askedFor('modeling_qwen.py')).toEqual([]);
    const metadata = JSON.parse(await readFile(join(entry.localPath, 'metadata.json'), 'utf8'));
    expect(metadata).toMatchObject({ model_name: 'qwen2.5-0.5b', model_id: REPO, revision: commit, model_size: 1000 });
    for (const ref of ['qwen2.5-0.5b', 'qwen2-5-0-5b']) {
      expect((await registry.resolve(ref, { paths: false })).entry.id).toBe(entry.id);
    }
  });

  it('fetches nothing when the commit is here, and asks nobody when it is named', async () => {
    const { hub, take } = await scene();
    const first = await take(`hf:${REPO}`);
    const before = hub.fileRequests;
    const again = await take(`hf:${REPO}`, { acceptLicense: async () => false });
    expect(again).toMatchObject({ outcome: 'already_there', entry: { id: first.entry.id } });
    expect(hub.fileRequests).toBe(before);
    await hub.close();
    const pinned = await take(`hf:${REPO}@${first.entry.hub?.commit}`);
    expect(pinned).toMatchObject({ outcome: 'already_there', entry: { id: first.entry.id } });
  });

  it('makes a damaged model whole under its own names, and fetches what is missing', async () => {
    const { hub, registry, take } = await scene();
    const { entry } = await take(`hf:${REPO}`);
    await rm(join(entry.localPath, 'config.json'));
    hub.asked.length = 0;
    const again = await take(`hf:${REPO}`);
    expect(again.entry).toMatchObject({ id: entry.id, name: entry.name, alias: entry.alias, status: 'completed' });
    expect((await registry.check(entry.digest as Digest)).valid).toBe(true);
    expect([hub.askedFor('config.json').length > 0, hub.askedFor('model.safetensors')]).toEqual([true, []]);
  });

  it('refuses a family that is not in the list before anything is fetched, unless any is taken', async () => {
    const { hub, registry, take } = await scene();
    hub.addModel('org/odd', { files: smallModel(2), ...SMALL_MODEL, config: { model_type: 'odd' } });
    const refused = await rejection(take('hf:org/odd'));
    expect(refused).toMatchObject({ code: 'refused', details: { family: 'odd' } });
    expect(refused.message).toContain('Supported: albert, ');
    expect([hub.fileRequests, (await registry.fromHub()).length]).toEqual([0, 0]);
    expect((await take('hf:org/odd', { families: undefined })).entry.modelType).toBe('qwen2');
  });

  it('asks for the license before the download, and only once for a repository', async () => {
    const { hub, take } = await scene();
    const asked: unknown[] = [];
    const answers = [false, true];
    const acceptLicense = async (license: unknown) => {
      asked.push(license);
      return answers.shift() ?? false;
    };
    expect(await rejection(take(`hf:${REPO}`, { acceptLicense }))).toMatchObject({ code: 'refused' });
    expect(hub.fileRequests).toBe(0);
    await take(`hf:${REPO}`, { acceptLicense });
    hub.repositories.get(REPO)?.push(smallModel(3));
    const newer = await take(`hf:${REPO}`, { acceptLicense, ifTaken: 'overwrite' });
    expect(newer.outcome).toBe('imported');
    expect(asked).toEqual(
      [0, 1].map(() => expect.objectContaining({ text: 'apache-2.0', page: `${hub.url}/${REPO}` })),
    );
  });

  it('asks what to do about a name that another model has', async () => {
    const { hub, registry, take } = await scene();
    const older = (await take(`hf:${REPO}`)).entry;
    hub.addModel('other/qwen2.5-0.5b', { files: smallModel(4), ...SMALL_MODEL });
    const before = hub.fileRequests;
    expect(await rejection(take('hf:other/qwen2.5-0.5b'))).toMatchObject({ code: 'alias_taken' });
    expect(hub.fileRequests).toBe(before);
    const renamed = await take('hf:other/qwen2.5-0.5b', { ifTaken: 'rename' });
    expect(renamed.entry).toMatchObject({ name: 'qwen2.5-0.5b-2', alias: 'qwen2-5-0-5b-2' });
    hub.addModel('third/qwen2.5-0.5b', { files: smallModel(5), ...SMALL_MODEL });
    const taken = await take('hf:third/qwen2.5-0.5b', { ifTaken: async () => 'overwrite' });
    expect(taken).toMatchObject({ renamedFrom: [older.id], entry: { name: 'qwen2.5-0.5b', alias: 'qwen2-5-0-5b' } });
    const now = (await registry.resolve(older.id)).entry;
    expect([now.name, now.alias]).toEqual([undefined, undefined]);
  });

  it('takes a name and an alias that a person chose, and refuses hostile ones', async () => {
    const { hub, take } = await scene();
    expect(await rejection(take(`hf:${REPO}`, { name: '../evil' }))).toMatchObject({ code: 'bad_argument' });
    expect(hub.fileRequests).toBe(0);
    const { entry } = await take(`hf:${REPO}`, { name: 'acme/tiny', alias: 'tiny' as Alias });
    expect(entry).toMatchObject({ name: 'acme/tiny', alias: 'tiny' });
  });

  it('finds out before the download that a gated model is not for this machine, and asks for a token', async () => {
    const { hub, take } = await scene();
    const gated = hub.addModel('org/gated', { files: smallModel(6), ...SMALL_MODEL, gated: 'manual' });
    hub.tokens.add('hf_good').add('hf_stranger');
    gated.readers.add('hf_good');
    const page = `${hub.url}/org/gated`;
    const missing = await rejection(take('hf:org/gated'));
    expect(missing).toMatchObject({ code: 'refused', details: { problem: 'token_missing' } });
    expect(missing.message).toContain(page);
    const stranger = await rejection(take('hf:org/gated', { hub: openHub({ env: hub.env, token: 'hf_stranger' }) }));
    expect(stranger).toMatchObject({ code: 'refused', details: { problem: 'not_authorized' } });
    expect(stranger.message).toContain(page);
    expect(hub.askedFor('model.safetensors')).toEqual([]);
    const askToken = async () => openHub({ env: hub.env, token: 'hf_good' });
    expect((await take('hf:org/gated', { askToken })).outcome).toBe('imported');
  });

  it('knows content that is here already, and says from then on where it comes from', async () => {
    const { hub, registry, take } = await scene();
    const first = await take(`hf:${REPO}`, { exclude: ['README.md'] });
    hub.addModel('copy/of-it', { files: smallModel(), ...SMALL_MODEL });
    const { entry, outcome } = await take('hf:copy/of-it', { exclude: ['README.md'] });
    expect([outcome, entry.id, entry.name]).toEqual(['already_there', first.entry.id, 'qwen2.5-0.5b']);
    expect(entry.hub?.repo).toBe('copy/of-it');
    expect((await registry.fromHub()).length).toBe(1);
  });

  it('has one of several quantisations chosen, which gives the model its name', async () => {
    const { hub, take } = await scene();
    const files = { 'x-Q4.gguf': ggufFile(1), 'x-Q8.gguf': ggufFile(2), 'README.md': Buffer.from('# x') };
    hub.addModel('org/x-GGUF', { files, card: { license: 'mit' } });
    expect(await rejection(take('hf:org/x-GGUF'))).toMatchObject({ code: 'ambiguous' });
    const { entry } = await take('hf:org/x-GGUF', { chooseWeights: async () => ['x-Q8.gguf'] });
    expect(entry).toMatchObject({
      name: 'x-q8',
      alias: 'x-q8',
      fileCount: 2,
      importedWith: { include: ['x-Q8.gguf'] },
    });
  });

  it('knows the base of an adapter by its configuration, and the license by its files, where the card says neither', async () => {
    const { hub, take } = await scene();
    const files = {
      'adapter_config.json': Buffer.from(JSON.stringify({ peft_type: 'LORA', base_model_name_or_path: REPO })),
      'adapter_model.safetensors': safetensorsFile(300),
      'README.md': Buffer.from('---\nlicense: mit\n---\n'),
    };
    hub.addModel('org/adapter', { files, libraryName: 'peft' });
    const { entry } = await take('hf:org/adapter');
    expect(entry).toMatchObject({ modelType: 'lora', lineage: { fineTunedFrom: REPO }, license: 'mit' });
    expect(entry.licenseAccepted?.license).toBe('none named');
  });

  it('converts what it fetched, under the same name, and knows the commit afterwards', async () => {
    const { hub, registry, take } = await scene();
    const files = { 'config.json': Buffer.from('{"model_type": "llama"}'), 'pytorch_model.bin': torchSample('zip') };
    hub.addModel('org/torch', { files, card: { license: 'mit' }, config: { model_type: 'llama' } });
    const { entry, converted } = await take('hf:org/torch', { convert: 'safetensors' });
    expect(converted).toEqual([{ from: 'pytorch_model.bin', to: 'model.safetensors' }]);
    expect(entry).toMatchObject({ name: 'torch', alias: 'torch', hub: { repo: 'org/torch' }, codeFiles: [] });
    const metadata = JSON.parse(await readFile(join(entry.localPath, 'metadata.json'), 'utf8'));
    expect(metadata).toMatchObject({ model_id: 'org/torch', digest: entry.digest });
    const again = await take('hf:org/torch', { convert: 'safetensors' });
    expect(again).toMatchObject({ outcome: 'already_there', entry: { id: entry.id }, converted: [] });
    expect((await registry.fromHub()).length).toBe(1);
  });

  it('keeps what it fetched where it cannot be converted, and says so', async () => {
    const { hub, registry, take } = await scene();
    const files = { 'config.json': Buffer.from('{"model_type": "llama"}'), 'pytorch_model.bin': sample('torchScript') };
    hub.addModel('org/script', { files, card: { license: 'mit' }, config: { model_type: 'llama' } });
    const refused = await rejection(take('hf:org/script', { convert: 'safetensors' }));
    expect(refused).toMatchObject({ code: 'invalid_model' });
    expect(refused.message).toMatch(/The model stays as it was fetched: script\.$/);
    expect((await registry.resolve('script', { paths: false })).entry.hub?.repo).toBe('org/script');
  });

  it('says which models have a newer commit, which are pinned, and which are of another hub', async () => {
    const { hub, registry, take } = await scene();
    const { entry } = await take(`hf:${REPO}`);
    const pinned = hub.addModel('org/pinned', { files: smallModel(7), ...SMALL_MODEL });
    await take(`hf:org/pinned@${pinned.commitOf('main')}`);
    const opened = openHub({ env: hub.env });
    const states = async () =>
      Object.fromEntries(
        (await findNewer(opened, await registry.fromHub(), await registry.fromHub())).map(
          ({ entry: { hub }, state }) => [hub.repo, state],
        ),
      );
    expect(await states()).toEqual({ [REPO]: 'current', 'org/pinned': 'pinned' });
    const newest = hub.repositories.get(REPO)?.push(smallModel(8));
    pinned.push(smallModel(9));
    expect(await states()).toEqual({ [REPO]: 'newer', 'org/pinned': 'pinned' });
    expect((await findNewer(opened, [entry], [entry]))[0]?.newest).toBe(newest);
    const updated = await take(`hf:${REPO}`, { ifTaken: 'overwrite' });
    const [older] = await findNewer(opened, [entry], await registry.fromHub());
    expect(older).toMatchObject({ state: 'superseded', supersededBy: { id: updated.entry.id } });
    await registry.remove(updated.entry.id);
    hub.repositories.delete(REPO);
    expect(await states()).toEqual({ [REPO]: 'unknown', 'org/pinned': 'pinned' });
    const asked = hub.asked.length;
    const elsewhere = openHub({ env: { HF_ENDPOINT: 'http://127.0.0.1:1' } });
    expect((await findNewer(elsewhere, [entry], [entry]))[0]?.state).toBe('elsewhere');
    expect(hub.asked.length).toBe(asked);
  });
});

/** A GGUF file with one number and no tensors. */
function ggufFile(value: number): Buffer {
  const text = (string: string) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(string.length));
    return Buffer.concat([length, Buffer.from(string)]);
  };
  const head = Buffer.alloc(24);
  head.write('GGUF', 0, 'latin1');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(1n, 16);
  const number = Buffer.alloc(8);
  number.writeUInt32LE(4, 0);
  number.writeUInt32LE(value, 4);
  return Buffer.concat([head, text('general.version'), number, safetensorsFile(300, value)]);
}
