import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Two models: one was trained further from the other. */
export interface LlamaPair {
  readonly base: string;
  readonly tuned: string;
  /** All files of the tuned one. */
  readonly tunedBytes: number;
  /** What of them is not in the base: the trained tensors, the headers, and the text that differs. */
  readonly changedBytes: number;
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
}

interface Variant {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The weights of a tensor depend on its name and on this. */
  readonly versionOf: (tensor: Tensor) => number;
}

const LAYERS = 6;
const VOCABULARY = 1024;
const BYTES_PER_WEIGHT = 2;

const BASE: Variant = { name: 'tiny-llama', metadata: { format: 'pt' }, versionOf: () => 1 };
const TUNED: Variant = {
  name: 'tiny-llama-tuned',
  metadata: {
    format: 'pt',
    fine_tuned_from: 'tiny-llama',
    note: 'one block was trained; the header is longer, so that every tensor moves',
  },
  versionOf: ({ name }) => (name.startsWith('model.layers.3.') ? 2 : 1),
};

/**
 * Writes two models like the fixtures `tiny-llama` and `tiny-llama-tuned`, without the libraries that the generator of those
 * needs: bf16 weights in two safetensors shards, the weights of one block changed, and a header that grew, so that every
 * tensor lies elsewhere.
 *
 * @param scale the fixtures are of scale 1; 8 gives 117 MB each
 */
export async function writeLlamaPair(folder: string, scale: number): Promise<LlamaPair> {
  const tensors = tensorsOf(scale);
  const [base, tuned] = [join(folder, BASE.name), join(folder, TUNED.name)];
  await writeLlama(base, tensors, BASE);
  const { bytes, headerBytes, textBytes } = await writeLlama(tuned, tensors, TUNED);
  const trained = tensors.filter((tensor) => TUNED.versionOf(tensor) !== BASE.versionOf(tensor));
  return { base, tuned, tunedBytes: bytes, changedBytes: sizeOf(trained) + headerBytes + textBytes };
}

function tensorsOf(scale: number): Tensor[] {
  const [hidden, inner] = [128 * scale, 256 * scale];
  const layer: Readonly<Record<string, readonly number[]>> = {
    'input_layernorm.weight': [hidden],
    'self_attn.q_proj.weight': [hidden, hidden],
    'self_attn.k_proj.weight': [hidden / 2, hidden],
    'self_attn.v_proj.weight': [hidden / 2, hidden],
    'self_attn.o_proj.weight': [hidden, hidden],
    'mlp.gate_proj.weight': [inner, hidden],
    'mlp.up_proj.weight': [inner, hidden],
    'mlp.down_proj.weight': [hidden, inner],
  };
  const layers = Array.from({ length: LAYERS }, (_, i) =>
    Object.entries(layer).map(([name, shape]) => ({ name: `model.layers.${i}.${name}`, shape })),
  );
  return [
    { name: 'model.embed_tokens.weight', shape: [VOCABULARY, hidden] },
    ...layers.flat(),
    { name: 'model.norm.weight', shape: [hidden] },
    { name: 'lm_head.weight', shape: [VOCABULARY, hidden] },
  ];
}

async function writeLlama(folder: string, tensors: readonly Tensor[], variant: Variant) {
  await mkdir(folder, { recursive: true });
  const half = Math.floor(tensors.length / 2);
  let headerBytes = 0;
  for (const [i, shard] of [tensors.slice(0, half), tensors.slice(half)].entries()) {
    headerBytes += await writeSafetensors(join(folder, `model-0000${i + 1}-of-00002.safetensors`), shard, variant);
  }
  const config = JSON.stringify({ architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', torch_dtype: 'bfloat16' });
  const readme = `---\nlicense: apache-2.0\n---\n# ${variant.name}\n`;
  await writeFile(join(folder, 'config.json'), config);
  await writeFile(join(folder, 'README.md'), readme);
  const bytes = sizeOf(tensors) + headerBytes + config.length + readme.length;
  return { bytes, headerBytes, textBytes: readme.length };
}

/** @returns the size of the header, with the 8 bytes that say how long it is */
async function writeSafetensors(path: string, tensors: readonly Tensor[], variant: Variant): Promise<number> {
  let end = 0;
  const entries = tensors.map((tensor) => {
    const begin = end;
    end += sizeOf([tensor]);
    return [tensor.name, { dtype: 'BF16', shape: tensor.shape, data_offsets: [begin, end] }] as const;
  });
  const text = JSON.stringify({ __metadata__: variant.metadata, ...Object.fromEntries(entries) });
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = await open(path, 'w');
  try {
    await file.writeFile(Buffer.concat([length, header]));
    for (const tensor of tensors) await file.writeFile(weightsOf(tensor, variant.versionOf(tensor)));
  } finally {
    await file.close();
  }
  return length.length + header.length;
}

function sizeOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, BYTES_PER_WEIGHT), 0);
}

/** The same for the same name and version, and unlike any other. */
function weightsOf(tensor: Tensor, version: number): Buffer {
  const key = createHash('sha256').update(`${tensor.name} ${version}`).digest();
  const random = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeOf([tensor])));
  const weights = new Uint16Array(random.buffer, random.byteOffset, random.length / BYTES_PER_WEIGHT);
  for (let i = 0; i < weights.length; i += 1) weights[i] = NORMAL[weights[i] as number] as number;
  return random;
}

/** What each of 65,536 equally likely numbers stands for: bf16 weights as models have them, near zero, so of few exponents. */
const NORMAL = Uint16Array.from({ length: 65_536 }, (_, i) => {
  const [radius, angle] = [((i >> 8) + 0.5) / 256, ((i & 255) + 0.5) / 256];
  return bfloat16(0.02 * Math.sqrt(-2 * Math.log(radius)) * Math.cos(2 * Math.PI * angle));
});

function bfloat16(value: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes.readUInt16LE(2);
}
