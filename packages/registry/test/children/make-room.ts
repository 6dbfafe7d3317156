import { openRegistry } from '../../src/index.ts';

// Makes room for one model, as another process does at the same time.
const [home, capBytes, bytes] = process.argv.slice(2) as [string, string, string];
const registry = await openRegistry({ home });
console.log('ready');
const { evicted } = await registry.makeRoom({ capBytes: Number(capBytes), bytes: Number(bytes) });
console.log(`evicted ${evicted.map(({ id }) => id).join(' ')};`);
await registry.close();
