import type { ConfigReader } from './config-reader.ts';

export type CheckOutcome = 'passed' | 'failed' | 'warning' | 'skipped';

/** What one check of a model found. */
export interface CheckResult {
  /** A short word, such as `config`. */
  readonly check: string;
  readonly outcome: CheckOutcome;
  /** What was found, or why the check was skipped, in plain words. */
  readonly detail?: string | undefined;
}

/** Items that a detail lists; how many more there are is said. */
const MAX_NAMED = 4;

/** Some of many, with how many more there are. */
export function someOf(items: readonly string[]): string {
  const more = items.length > MAX_NAMED ? `; and ${items.length - MAX_NAMED} more` : '';
  return `${items.slice(0, MAX_NAMED).join('; ')}${more}`;
}

/** What a configuration says beside the tensors. */
export function configResult(outcome: CheckOutcome, detail: string): CheckResult {
  return { check: 'config', outcome, detail };
}

/** A tensor that a model's weights hold. */
export interface FoundTensor {
  readonly name: string;
  /** As safetensors or GGUF call it, such as `BF16`. */
  readonly dtype: string;
  /** The outermost dimension first. */
  readonly shape: readonly number[];
}

/** A tensor that a family's models have. `{i}` in its name stands for the number of a layer. */
export interface LayoutRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly isOptional?: boolean | undefined;
  /** What older versions called it. */
  readonly formerName?: string | undefined;
}

/** The tensors that a configuration asks for. */
export interface FamilyLayout {
  /** What all of their names may begin with, where the backbone is a part of a larger model; `''` where it is all of it. */
  readonly prefixes: readonly string[];
  readonly layers: number;
  /** Of each layer. */
  readonly layer: readonly LayoutRow[];
  readonly once: readonly LayoutRow[];
  /** What belongs to the task and not to the backbone: its names have no prefix. */
  readonly head: readonly LayoutRow[];
  /** Other names that are right: buffers that older versions saved, other parts of the model. */
  readonly known: readonly RegExp[];
}

/** Models that have their tensors under the same names. */
export interface Family {
  readonly name: string;
  /** `model_type` of their configurations. */
  readonly modelTypes: readonly string[];
  /** @throws ConfigProblem */
  layout(config: ConfigReader): FamilyLayout;
}
