import { openRegistry } from '../../src/index.ts';

// Keeps a model open for reading until it is killed.
const [home, digest] = process.argv.slice(2) as [string, string];
const registry = await openRegistry({ home });
await registry.openModel(digest as never);
console.log('reading');
setInterval(() => {}, 1000);
