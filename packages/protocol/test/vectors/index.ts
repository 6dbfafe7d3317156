import { descriptionVectors } from './descriptions.ts';
import { digestVectors } from './digests.ts';
import { encodedChunkVectors } from './encoded-chunks.ts';
import { frameVectors } from './frames.ts';
import { identityVectors } from './identities.ts';
import { messageVectors } from './messages.ts';
import { relayVectors } from './relay.ts';
import { sealedVectors } from './sealed.ts';
import { tokenVectors } from './tokens.ts';

/** The test vectors by the name of their file in packages/protocol/vectors. */
export async function buildVectors(): Promise<Record<string, unknown>> {
  return {
    'descriptions.json': descriptionVectors(),
    'digests.json': digestVectors(),
    'encoded-chunks.json': encodedChunkVectors(),
    'frames.json': await frameVectors(),
    'identities.json': identityVectors(),
    'messages.json': messageVectors(),
    'relay.json': relayVectors(),
    'sealed.json': sealedVectors(),
    'tokens.json': tokenVectors(),
  };
}

/** The text of a file of vectors. */
export function vectorText(vectors: unknown): string {
  return `${JSON.stringify(vectors, undefined, 2)}\n`;
}
