/**
 * Writes the test vectors of the protocol from the code: `npx tsx --conditions=@model-rtc/source scripts/make-vectors.ts`.
 * A unit test proves that the committed ones are what the code gives, so a change of the wire is seen in the diff.
 */
import { writeFile } from 'node:fs/promises';
import { buildMeshVectors } from '../packages/mesh/test/vectors/build.ts';
import { buildVectors, vectorText } from '../packages/protocol/test/vectors/index.ts';

const FILES = { protocol: await buildVectors(), mesh: buildMeshVectors() };

for (const [name, files] of Object.entries(FILES)) {
  const folder = new URL(`../packages/${name}/vectors/`, import.meta.url);
  for (const [file, vectors] of Object.entries(files)) {
    await writeFile(new URL(file, folder), vectorText(vectors));
    console.log(`packages/${name}/vectors/${file}`);
  }
}
