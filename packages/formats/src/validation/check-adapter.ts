import { at, type Document, isObject } from '../documents/scalars.ts';
import { type CheckResult, configResult, type FoundTensor, someOf } from './types.ts';

/** The two halves of a change: `lora_A` takes the inputs, `lora_B` gives the outputs. */
const HALF = /^(.*)\.lora_(?:embedding_)?([AB])(?:\.default)?(?:\.weight)?$/;

interface Halves {
  A?: FoundTensor;
  B?: FoundTensor;
}

/**
 * Compares the `adapter_config.json` of a LoRA with its tensors: both halves of each change, with the rank that it says.
 * Source: peft, `tuners/lora/layer.py`.
 */
export function checkAdapter(config: Document, tensors: readonly FoundTensor[]): CheckResult {
  const type = at(config, 'peft_type');
  const rank = at(config, 'r');
  if (type !== 'LORA') {
    const kind = typeof type === 'string' ? `is of the kind ${JSON.stringify(type.slice(0, 64))}` : 'names no kind';
    return configResult('skipped', `The adapter ${kind}; only LORA is compared.`);
  }
  if (typeof rank !== 'number')
    return configResult('skipped', 'adapter_config.json names no rank (r), so nothing can be compared.');
  const pairs = new Map<string, Halves>();
  for (const tensor of tensors) {
    const [, layer, half] = HALF.exec(tensor.name) ?? [];
    if (layer === undefined) continue;
    const halves = pairs.get(layer) ?? {};
    halves[half as keyof Halves] = tensor;
    pairs.set(layer, halves);
  }
  if (pairs.size === 0) return configResult('failed', 'The weights hold no tensor of a LoRA.');
  const ranks = isObject(at(config, 'rank_pattern')) ? (at(config, 'rank_pattern') as Document) : {};
  const problems = [...pairs].flatMap(([layer, halves]) => {
    const expected = Object.entries(ranks).find(([name]) => layer === name || layer.endsWith(`.${name}`))?.[1] ?? rank;
    return problemsOf(layer, halves, Number(expected));
  });
  if (problems.length > 0) return configResult('failed', `${someOf(problems)}.`);
  return configResult('passed', `${pairs.size} layers are changed with rank ${rank}.`);
}

/** The rank is the smaller side: of `A` the outputs and of `B` the inputs; for words it is the other way round. */
function problemsOf(layer: string, { A, B }: Halves, rank: number): string[] {
  if (A === undefined) return [`${layer}.lora_A is missing`];
  if (B === undefined) return [`${layer}.lora_B is missing`];
  return [A, B].flatMap(({ name, shape }) =>
    shape.includes(rank) ? [] : [`${name} is [${shape.join(', ')}] and has no side of the rank ${rank}`],
  );
}
