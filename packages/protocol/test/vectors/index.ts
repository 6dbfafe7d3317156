import { digestVectors } from './digests.ts';
import { frameVectors } from './frames.ts';
import { identityVectors } from './identities.ts';
import { messageVectors } from './messages.ts';
import { sealedVectors } from './sealed.ts';
import { tokenVectors } from './tokens.ts';

/** The test vectors by the name of their file in packages/protocol/vectors. */
export async function buildVectors(): Promise<Record<string, unknown>> {
  return {
    'digests.json': digestVectors(),
    'frames.json': await frameVectors(),
    'identities.json': identityVectors(),
    'messages.json': messageVectors(),
    'sealed.json': sealedVectors(),
    'tokens.json': tokenVectors(),
  };
}

/** The text of a file of vectors. */
export function vectorText(vectors: unknown): string {
  return `${JSON.stringify(vectors, undefined, 2)}\n`;
}
