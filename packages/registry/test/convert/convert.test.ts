import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RegistryEntry } from '@model-rtc/registry';
import { rejection } from '../../../../test/support/rejection.ts';
import { readTensors } from '../../../../test/support/safetensors-reader.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { dict, stateDict, type TensorToPickle, torchZip } from '../../../../test/support/torch-maker.ts';
import { expectedTensors, torchSample } from '../../../../test/support/torch-samples.ts';
import { type Files, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const open = async () => await openTestRegistry({ importSteps: undefined });

function view(name: string, key = '0'): TensorToPickle {
  return { name, type: 'FloatStorage', key, offset: 0, shape: [2, 3], stride: [3, 1] };
}

const BYTES = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const CONFIG = JSON.stringify({ model_type: 'llama', architectures: ['LlamaForCausalLM'] });

async function modelFolder(files: Files): Promise<string> {
  return await writeFiles(join(await temporaryFolder(), 'tiny'), files);
}

async function tensorsOf({ localPath }: RegistryEntry, path: string) {
  return readTensors(await readFile(join(localPath, path)));
}

async function filesOf({ localPath }: RegistryEntry): Promise<string[]> {
  return (await readdir(localPath)).filter((name) => name !== '.model-rtc').sort();
}

describe('an import that converts', () => {
  it('registers a copy with a safetensors file in place of the torch file, and leaves the original', async () => {
    const folder = await modelFolder({
      'config.json': CONFIG,
      'pytorch_model.bin': torchSample('zip'),
      'tokenizer.json': '{}',
    });
    const registry = await open();
    const { digest } = (await registry.importModel(folder)).entry;
    const phases = new Set<string>();
    const onProgress = ({ phase, totalBytes }: { phase: string; totalBytes: number }) => {
      if (totalBytes > 0) phases.add(phase);
    };
    const { entry, converted } = await registry.importModel(folder, { convert: 'safetensors', onProgress });
    expect(await filesOf(entry)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect((await tensorsOf(entry, 'model.safetensors')).tensors).toEqual(expectedTensors());
    expect(converted).toEqual([{ from: 'pytorch_model.bin', to: 'model.safetensors' }]);
    expect(entry).toMatchObject({
      linked: false,
      checkpointPath: 'model.safetensors',
      codeFiles: [],
      components: { weights: 'present', config: 'present', tokenizer: 'present' },
      lineage: { convertedFrom: digest },
      warnings: [
        'pytorch_model.bin: lm_head.weight and embed.weight share their values in the original, and each has them here.',
      ],
    });
    expect(entry.incomplete).toBeUndefined();
    expect([...phases]).toEqual(['convert', 'copy', 'hash', 'verify']);
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect((await readFile(join(folder, 'pytorch_model.bin'))).equals(torchSample('zip'))).toBe(true);
    expect((await registry.importModel(folder, { convert: 'safetensors', alias: undefined })).outcome).toBe(
      'already_there',
    );
  });

  it('keeps shards, and writes their index anew', async () => {
    const shard = (name: string) => torchZip(stateDict([view(name)]), { 0: BYTES });
    const map = { a: 'pytorch_model-00001-of-00002.bin', b: 'pytorch_model-00002-of-00002.bin' };
    const folder = await modelFolder({
      'config.json': CONFIG,
      'pytorch_model-00001-of-00002.bin': shard('a'),
      'pytorch_model-00002-of-00002.bin': shard('b'),
      'pytorch_model.bin.index.json': JSON.stringify({ metadata: { total_size: 48 }, weight_map: map }),
    });
    const { entry } = await (await open()).importModel(folder, { convert: 'safetensors' });
    expect(await filesOf(entry)).toEqual([
      'config.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    expect(JSON.parse(await readFile(join(entry.localPath, 'model.safetensors.index.json'), 'utf8'))).toEqual({
      metadata: { total_size: 48 },
      weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
    });
    expect(entry.checkpointPath).toBe('model-00001-of-00002.safetensors');
  });

  it('keeps a parent that a person names beside what it was converted from', async () => {
    const registry = await open();
    const base = await registry.importModel(await modelFolder({ 'weights.safetensors': 'x' }), {
      allowIncomplete: true,
    });
    const folder = await modelFolder({ 'config.json': CONFIG, 'pytorch_model.bin': torchSample('legacy') });
    const { entry } = await registry.importModel(folder, { convert: 'safetensors', parent: base.entry.id });
    expect(entry.lineage).toMatchObject({ parents: [base.entry.digest], convertedFrom: expect.any(String) });
  });

  it.each([
    [{ model_type: 'gpt2' }, ['model.embed.weight'], { 'lm_head.weight': 'model.embed.weight', format: 'pt' }],
    [{ model_type: 'gpt2', tie_word_embeddings: false }, ['lm_head.weight', 'model.embed.weight'], { format: 'pt' }],
    [{ model_type: 'llama' }, ['lm_head.weight', 'model.embed.weight'], { format: 'pt' }],
    [
      { model_type: 'llama', tie_word_embeddings: true },
      ['model.embed.weight'],
      { 'lm_head.weight': 'model.embed.weight', format: 'pt' },
    ],
  ])('drops a tied name only where the configuration ties it (%j)', async (config, names, metadata) => {
    const weights = torchZip(stateDict([view('lm_head.weight'), view('model.embed.weight')]), { 0: BYTES });
    const folder = await modelFolder({ 'config.json': JSON.stringify(config), 'pytorch_model.bin': weights });
    const { entry } = await (await open()).importModel(folder, { convert: 'safetensors' });
    const found = await tensorsOf(entry, 'model.safetensors');
    expect(Object.keys(found.tensors)).toEqual(names);
    expect(found.metadata).toEqual(metadata);
  });

  it('is refused when a file holds what is not known, and leaves nothing', async () => {
    const folder = await modelFolder({ 'config.json': CONFIG, 'pytorch_model.bin': torchSample('sparse') });
    const registry = await open();
    const error = await rejection(registry.importModel(folder, { convert: 'safetensors' }));
    expect(error).toMatchObject({ code: 'invalid_model', details: { path: 'pytorch_model.bin', reason: 'convert' } });
    expect(error.message).toContain('its "w" is what torch._utils._rebuild_sparse_tensor makes');
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect((await readdir(registry.paths.models)).filter((name) => name !== 'registry.json')).toEqual([]);
  });

  it('is refused before it writes anything when a later file cannot be converted', async () => {
    const folder = await modelFolder({
      'config.json': CONFIG,
      'a.bin': torchZip(stateDict([view('a')]), { 0: BYTES }),
      'b.bin': torchZip(stateDict([view('b')]), {}),
    });
    const error = await rejection((await open()).importModel(folder, { convert: 'safetensors', asOne: true }));
    expect(error.message).toContain('b.bin cannot be converted to safetensors: its storage "0" is missing.');
  });

  it.each<[string, Files]>([
    ['another file has its new name', { 'a.bin': torchSample('zip'), 'A.safetensors': '{}' }],
    ['two files would have one name', { 'a.bin': torchSample('zip'), 'a.pt': torchSample('zip') }],
  ])('is refused when %s', async (_, files) => {
    const folder = await modelFolder({ 'config.json': CONFIG, ...files });
    const work = { convert: 'safetensors', asOne: true, allowIncomplete: true } as const;
    const error = await rejection((await open()).importModel(folder, work));
    expect(error).toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining('cannot become a.safetensors'),
    });
  });

  it('takes a model without torch files as it is, and leaves files that hold no tensors', async () => {
    const registry = await open();
    const plain = await modelFolder({ 'config.json': CONFIG, 'model.gguf': 'GGUF' });
    const same = await registry.importModel(plain, { convert: 'safetensors', allowIncomplete: true });
    expect(same).toMatchObject({ converted: [], entry: { linked: true } });
    expect(same.entry.lineage?.convertedFrom).toBeUndefined();
    const folder = await modelFolder({
      'config.json': CONFIG,
      'pytorch_model.bin': torchSample('zip'),
      'training_args.bin': torchSample('arguments'),
    });
    const { entry } = await registry.importModel(folder, { convert: 'safetensors' });
    expect(await filesOf(entry)).toContain('training_args.bin');
    expect(entry.warnings).toContain('training_args.bin holds no tensors of torch, and stays as it is.');
  });

  it('ends when it is cancelled, with nothing left', async () => {
    const folder = await modelFolder({ 'config.json': CONFIG, 'pytorch_model.bin': torchSample('zip') });
    const registry = await open();
    const controller = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === 'copy') controller.abort();
    };
    const work = { convert: 'safetensors', signal: controller.signal, onProgress } as const;
    expect(await rejection(registry.importModel(folder, work))).toMatchObject({ code: 'cancelled' });
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });

  it('looks for code in what it registers', async () => {
    const folder = await modelFolder({ 'config.json': CONFIG, 'pytorch_model.bin': torchSample('zip') });
    const { entry } = await (await open()).importModel(folder, { convert: 'safetensors', safeOnly: true });
    expect(entry.codeFiles).toEqual([]);
  });
});

describe('a model that is here', () => {
  it('is converted beside itself, or in its own place with its alias', async () => {
    const registry = await open();
    const weights = dict([
      ['state_dict', stateDict([view('w')])],
      ['epoch', Buffer.from('K\x03', 'latin1')],
    ]);
    const folder = await modelFolder({
      'config.json': CONFIG,
      'sub/pytorch_model.bin': torchZip(weights, { 0: BYTES }),
    });
    const { entry: original } = await registry.importModel(folder, { alias: 'tiny' as never, tags: ['lab'] });
    const digest = original.digest as NonNullable<typeof original.digest>;
    const beside = await registry.convertModel(digest);
    expect(beside).toMatchObject({
      converted: [{ from: 'sub/pytorch_model.bin', to: 'sub/model.safetensors' }],
      entry: { tags: ['lab'], lineage: { convertedFrom: digest }, linked: false },
    });
    expect(beside.entry.warnings).toEqual([
      'sub/pytorch_model.bin: "epoch" of the original is no tensor and left out.',
    ]);
    expect(beside.entry.alias).toBeUndefined();
    expect((await registry.find(digest))?.alias).toBe('tiny');
    const instead = await registry.convertModel(digest, { replace: true });
    expect(instead.entry).toMatchObject({ digest: beside.entry.digest, alias: 'tiny' });
    expect(await registry.find(digest)).toBeUndefined();
    expect(await stat(join(folder, 'sub/pytorch_model.bin'))).toBeDefined();
    expect(await registry.check(instead.entry.digest as typeof digest)).toMatchObject({ valid: true });
  });

  it('stays as it is where there is nothing to convert', async () => {
    const registry = await open();
    const folder = await modelFolder({ 'config.json': CONFIG, 'model.gguf': 'GGUF' });
    const { entry } = await registry.importModel(folder, { allowIncomplete: true });
    const result = await registry.convertModel(entry.digest as NonNullable<typeof entry.digest>, { replace: true });
    expect(result).toMatchObject({ converted: [], entry: { id: entry.id } });
  });
});
