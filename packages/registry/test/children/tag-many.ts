import type { Alias } from '@model-rtc/protocol';
import { openRegistry } from '../../src/index.ts';

// Renames one model again and again, each time a write of the index, until it is killed.
const [home, id, prefix] = process.argv.slice(2) as [string, string, string];
const registry = await openRegistry({ home });
for (let i = 0; ; i++) {
  await registry.tag(id, `${prefix}-${i}` as Alias);
  console.log(`wrote ${i};`);
}
