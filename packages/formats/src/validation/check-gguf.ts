import type { GgufHeader } from '../gguf/gguf.ts';
import { MAX_LAYERS } from './config-reader.ts';
import { type CheckResult, configResult, someOf } from './types.ts';

const BLOCK = /^blk\.(\d+)\./;

/** Architectures whose blocks all have these parts. Source: llama.cpp, `src/llama-arch.cpp`. */
const SEPARATE = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_up', 'ffn_down'];
const JOINED = ['attn_qkv', 'attn_output', 'ffn_up', 'ffn_down'];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  llama: SEPARATE,
  qwen2: SEPARATE,
  qwen3: SEPARATE,
  gemma: SEPARATE,
  gemma2: SEPARATE,
  gemma3: SEPARATE,
  bert: SEPARATE,
  phi2: ['attn_output', 'ffn_up', 'ffn_down'],
  phi3: JOINED,
  gpt2: JOINED,
};

/**
 * Compares what a GGUF file says of its architecture with its tensors.
 * @param headers - of all files of a model that is split: the first one has the keys
 */
export function checkGgufConfig(headers: readonly GgufHeader[]): CheckResult {
  const metadata = headers[0]?.metadata ?? new Map();
  const architecture = metadata.get('general.architecture');
  if (typeof architecture !== 'string') return configResult('skipped', 'The GGUF file names no architecture.');
  if (metadata.get('general.type') === 'adapter')
    return configResult('skipped', 'An adapter says nothing of its layers.');
  const number = (key: string): number | undefined => {
    const value = metadata.get(`${architecture}.${key}`);
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
  };
  const [blocks, hidden] = [number('block_count'), number('embedding_length')];
  if (blocks === undefined || hidden === undefined) {
    return configResult(
      'skipped',
      `The GGUF file does not say ${architecture}.block_count and ${architecture}.embedding_length.`,
    );
  }
  if (blocks > MAX_LAYERS) return configResult('failed', `${blocks} blocks are more than any model has.`);
  const shapes = new Map<string, readonly number[]>();
  for (const { tensors } of headers) for (const { name, shape } of tensors) shapes.set(name, [...shape].reverse());
  const problems = [
    ...missingBlocks(shapes, architecture, blocks),
    ...wrongShapes(shapes, {
      ...{ hidden, blocks, number },
      vocabulary: headers[0]?.counts.get('tokenizer.ggml.tokens'),
      hasOwnHeads: headers[0]?.counts.has(`${architecture}.attention.head_count_kv`) ?? false,
    }),
  ];
  if (problems.length === 0) return configResult('passed', `${shapes.size} tensors fit the keys of ${architecture}.`);
  return configResult('failed', `${someOf(problems)}.`);
}

type Shapes = ReadonlyMap<string, readonly number[]>;

function missingBlocks(shapes: Shapes, architecture: string, blocks: number): string[] {
  const found = new Set<number>();
  for (const name of shapes.keys()) {
    const block = BLOCK.exec(name)?.[1];
    if (block !== undefined) found.add(Number(block));
  }
  // Numbers of blocks have no end; those that are beyond the last are as many as there are tensors.
  const beyond = [...found].filter((block) => block >= blocks).sort((a, b) => a - b);
  const problems = beyond.map((block) => `blk.${block} is there, and block_count is ${blocks}`);
  const parts = Object.hasOwn(PARTS, architecture) ? (PARTS[architecture] as readonly string[]) : [];
  const isJoined = shapes.has('blk.0.attn_qkv.weight');
  for (let block = 0; block < blocks; block++) {
    if (!found.has(block)) problems.push(`blk.${block} is missing`);
    else {
      for (const part of isJoined && parts === SEPARATE ? JOINED : parts) {
        // Of several experts, each has its own.
        const names = [`blk.${block}.${part}.weight`, `blk.${block}.${part}_exps.weight`];
        if (!names.some((name) => shapes.has(name))) problems.push(`blk.${block}.${part}.weight is missing`);
      }
    }
  }
  if (parts.length > 0 && !shapes.has('token_embd.weight')) problems.push('token_embd.weight is missing');
  return problems;
}

interface Keys {
  readonly hidden: number;
  readonly blocks: number;
  readonly vocabulary: number | undefined;
  /** Whether the blocks differ in how many heads share keys. */
  readonly hasOwnHeads: boolean;
  number(key: string): number | undefined;
}

/** Those that do not follow from keys are not compared. */
function wrongShapes(shapes: Shapes, { hidden, blocks, vocabulary, hasOwnHeads, number }: Keys): string[] {
  const heads = number('attention.head_count');
  // Where it is left out there are as many as heads; where each block has its own, the key is a list.
  const keyHeads = number('attention.head_count_kv') ?? (hasOwnHeads ? undefined : heads);
  const headSize = number('attention.key_length') ?? (heads === undefined ? undefined : hidden / heads);
  const valueSize = number('attention.value_length') ?? headSize;
  const times = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined || !Number.isInteger(a * b) ? undefined : a * b;
  const inner = number('feed_forward_length');
  const expected: [string, (number | undefined)[]][] = [
    ['token_embd.weight', [vocabulary, hidden]],
    ['output_norm.weight', [hidden]],
    ['output.weight', [vocabulary, hidden]],
  ];
  for (let i = 0; i < blocks; i++) {
    expected.push(
      [`blk.${i}.attn_norm.weight`, [hidden]],
      [`blk.${i}.attn_q.weight`, [times(heads, headSize), hidden]],
      [`blk.${i}.attn_k.weight`, [times(keyHeads, headSize), hidden]],
      [`blk.${i}.attn_v.weight`, [times(keyHeads, valueSize), hidden]],
      [`blk.${i}.attn_output.weight`, [hidden, times(heads, valueSize)]],
      [`blk.${i}.ffn_gate.weight`, [inner, hidden]],
      [`blk.${i}.ffn_down.weight`, [hidden, inner]],
    );
  }
  return expected.flatMap(([name, sides]) => {
    const shape = shapes.get(name);
    const fits =
      shape === undefined ||
      (shape.length === sides.length && sides.every((side, i) => side === undefined || side === shape[i]));
    if (fits) return [];
    return [`${name} is [${shape.join(', ')}] and should be [${sides.map((side) => side ?? '?').join(', ')}]`];
  });
}
