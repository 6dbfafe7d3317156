import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { checkTokenizer, examineWeights } from '@model-rtc/formats/validation';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { file } from '../completeness/make-models.ts';
import { FAMILY_MODELS, type FamilyModel, tensorsOf } from './family-models.ts';

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures', import.meta.url));
const { config: CONFIG, tensors: TENSORS } = FAMILY_MODELS.llama as FamilyModel;

interface Tensor {
  readonly name: string;
  readonly dtype?: string;
  readonly shape: readonly number[];
}

/** With tensors of zeros. */
function safetensors(tensors: readonly Tensor[]): Uint8Array {
  let end = 0;
  const header: Record<string, object> = {};
  for (const { name, dtype = 'BF16', shape } of tensors) {
    const bytes = shape.reduce((count, side) => count * side, dtype === 'F32' ? 4 : 2);
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, Buffer.alloc(end)]));
}

async function examine(files: Readonly<Record<string, object | Uint8Array>>) {
  const made = Object.entries(files).map(([path, content]) =>
    file(path, content instanceof Uint8Array ? content : JSON.stringify(content)),
  );
  return await examineWeights(made, { inflate });
}

/** Outcomes by check. */
async function outcomes(files: Parameters<typeof examine>[0]): Promise<Record<string, string>> {
  const { results } = await examine(files);
  return Object.fromEntries(results.map(({ check, outcome }) => [check, outcome]));
}

describe('the weights of a model', () => {
  const all = tensorsOf({ tensors: TENSORS });
  const [first, second] = [all.slice(0, 8), all.slice(8)];
  const weight_map = Object.fromEntries([
    ...first.map(({ name }) => [name, 'model-00001-of-00002.safetensors']),
    ...second.map(({ name }) => [name, 'model-00002-of-00002.safetensors']),
  ]);
  const shards = {
    'config.json': CONFIG,
    'model-00001-of-00002.safetensors': safetensors(first),
    'model-00002-of-00002.safetensors': safetensors(second),
    'model.safetensors.index.json': { metadata: { total_size: 1 }, weight_map },
  };

  it('fit their headers, their index and their configuration, and tell where their numbers lie', async () => {
    const { results, floats } = await examine(shards);
    expect(results.map(({ check, outcome }) => [check, outcome])).toEqual([
      ['headers', 'passed'],
      ['index', 'passed'],
      ['config', 'passed'],
    ]);
    expect([...floats.values()].flat().map(({ name }) => name)).toEqual(all.map(({ name }) => name));
  });

  it('are counted in words that fit one tensor and many', async () => {
    const one = await examine({ 'model.safetensors': safetensors(all.slice(0, 1)) });
    const many = await examine({ 'model.safetensors': safetensors(all) });
    expect(one.results[0]?.detail).toBe('1 tensor in 1 file fits the size of the file.');
    expect(many.results[0]?.detail).toBe(`${all.length} tensors in 1 file fit the size of the file.`);
  });

  it('that are cut off fail at their header', async () => {
    const whole = safetensors(all);
    const found = await outcomes({ 'config.json': CONFIG, 'model.safetensors': whole.subarray(0, whole.length - 1) });
    expect(found).toMatchObject({ headers: 'failed' });
  });

  it.each([
    ['names a tensor that is not there', { ...weight_map, ghost: 'model-00001-of-00002.safetensors' }, 'failed'],
    ['names the wrong file', { ...weight_map, 'lm_head.weight': 'model-00001-of-00002.safetensors' }, 'failed'],
    [
      'leaves a tensor out',
      Object.fromEntries(Object.entries(weight_map).filter(([name]) => name !== 'lm_head.weight')),
      'warning',
    ],
  ])('whose index %s do not pass', async (_, map, outcome) => {
    const found = await outcomes({ ...shards, 'model.safetensors.index.json': { weight_map: map } });
    expect(found).toMatchObject({ index: outcome });
  });

  it('of an adapter have both halves of each change', async () => {
    const adapter = { peft_type: 'LORA', r: 2, rank_pattern: {} };
    const layer = 'base_model.model.model.layers.0.self_attn.q_proj';
    const halves = [
      { name: `${layer}.lora_A.weight`, shape: [2, 8] },
      { name: `${layer}.lora_B.weight`, shape: [8, 2] },
    ];
    const files = (tensors: readonly Tensor[]) => ({
      'adapter_config.json': adapter,
      'adapter_model.safetensors': safetensors(tensors),
    });
    expect(await outcomes(files(halves))).toMatchObject({ config: 'passed' });
    expect(await outcomes(files(halves.slice(0, 1)))).toMatchObject({ config: 'failed' });
    const other = [{ name: `${layer}.lora_A.weight`, shape: [3, 8] }, halves[1] as Tensor];
    expect(await outcomes(files(other))).toMatchObject({ config: 'failed' });
  });

  it.each([
    [{ peft_type: 'LORA' }, 'adapter_config.json names no rank (r), so nothing can be compared.'],
    [{ peft_type: 'IA3', r: 2 }, 'The adapter is of the kind "IA3"; only LORA is compared.'],
    [{ r: 2 }, 'The adapter names no kind; only LORA is compared.'],
  ])('of an adapter with %j are not compared', async (adapter, detail) => {
    const weights = safetensors([{ name: 'x.lora_A.weight', shape: [2, 8] }]);
    const { results } = await examine({ 'adapter_config.json': adapter, 'adapter_model.safetensors': weights });
    expect(results.find(({ check }) => check === 'config')).toEqual({ check: 'config', outcome: 'skipped', detail });
  });

  it('are those that a loader takes first', async () => {
    const files = { 'config.json': CONFIG, 'consolidated.safetensors': safetensors([{ name: 'tok', shape: [1] }]) };
    expect(await outcomes({ ...files, 'model.safetensors': safetensors(all) })).toMatchObject({ config: 'passed' });
    expect(await outcomes({ ...files, 'other.safetensors': safetensors(all) })).toMatchObject({ config: 'skipped' });
  });

  it('are compared with no configuration where there is none, and with a broken one fail', async () => {
    const weights = { 'model.safetensors': safetensors(all) };
    expect(await outcomes(weights)).toMatchObject({ config: 'skipped' });
    expect(await outcomes({ ...weights, 'config.json': new Uint8Array([0x7b]) })).toMatchObject({ config: 'failed' });
  });
});

describe('models that tools made', () => {
  async function fixture(name: string) {
    const folder = join(FIXTURES, name);
    const names = await readdir(folder);
    return await Promise.all(names.map(async (path) => file(path, new Uint8Array(await readFile(join(folder, path))))));
  }

  it.each([
    ['tiny-gguf', { headers: 'passed', config: 'skipped', tokenizer: 'skipped' }],
    ['tiny-onnx', { headers: 'passed', config: 'skipped', tokenizer: 'skipped' }],
    ['legacy-rat-2023', { headers: 'passed', config: 'skipped', tokenizer: 'skipped' }],
    // It says that it is a qwen2, and has neither its biases nor a decoder for its tokens.
    ['tiny-llama', { headers: 'passed', index: 'passed', config: 'failed', tokenizer: 'warning' }],
  ])('%s is found to be what it is', async (name, expected) => {
    const files = await fixture(name);
    const { results } = await examineWeights(files, { inflate });
    const all = [...results, await checkTokenizer(files, undefined)];
    expect(Object.fromEntries(all.map(({ check, outcome }) => [check, outcome]))).toEqual(expected);
  });
});
