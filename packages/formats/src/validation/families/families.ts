import type { Family } from '../types.ts';
import { bert } from './bert.ts';
import { gemma, gemma2, gemma3 } from './gemma.ts';
import { gpt2 } from './gpt2.ts';
import { llama, mistral, qwen2, qwen3 } from './llama.ts';
import { phi, phi3 } from './phi.ts';

/** The families whose tensors are known. */
export const FAMILIES: readonly Family[] = [llama, qwen2, qwen3, mistral, gemma, gemma2, gemma3, phi, phi3, bert, gpt2];
