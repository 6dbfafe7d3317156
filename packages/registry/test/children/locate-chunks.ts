import { openRegistry } from '../../src/index.ts';
import { installFiles, sha256 } from '../helpers/models.ts';

// Installs models of its own and finds their chunks, while other processes do the same.
const [home, name] = process.argv.slice(2) as [string, string];
const registry = await openRegistry({ home });
for (let i = 0; i < 5; i++) {
  const content = `${name} ${i}`.padEnd(16);
  await installFiles(registry, { w: content });
  const located = await registry.locateChunks([sha256(content)]);
  const location = located.get(sha256(content));
  if (location === undefined) throw new Error(`${content} is not found`);
  const bytes = await registry.readLocatedChunk(sha256(content), location);
  if (bytes === undefined || sha256(bytes) !== sha256(content)) throw new Error(`${content} is not read`);
}
await registry.close();
