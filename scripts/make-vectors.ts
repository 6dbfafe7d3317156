/**
 * Writes the test vectors of the protocol from the code: `npx tsx --conditions=@model-rtc/source scripts/make-vectors.ts`.
 * A unit test proves that the committed ones are what the code gives, so a change of the wire is seen in the diff.
 */
import { writeFile } from 'node:fs/promises';
import { buildVectors, vectorText } from '../packages/protocol/test/vectors/index.ts';

const folder = new URL('../packages/protocol/vectors/', import.meta.url);

for (const [name, vectors] of Object.entries(await buildVectors())) {
  await writeFile(new URL(name, folder), vectorText(vectors));
  console.log(`packages/protocol/vectors/${name}`);
}
