import { writeSync } from 'node:fs';
import { openRegistry } from '../../src/index.ts';

// Removes models one after the other, and says so before each.
const [home, ...refs] = process.argv.slice(2) as [string, ...string[]];
const registry = await openRegistry({ home });
for (const [place, ref] of refs.entries()) {
  writeSync(1, `removing ${place}\n`);
  await registry.remove(ref);
}
await registry.close();
