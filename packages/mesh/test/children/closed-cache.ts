/** Goes on using a cache that is closed, as a member's answer does that comes while a command ends. Writes `done` at the end. */
import { openRecordCache } from '../../src/node/state/record-cache.ts';

const [folder = ''] = process.argv.slice(2);
const cache = await openRecordCache(folder);
const record = (order: number) => ({ bytes: Buffer.from('record'), order, heardAtMs: 1 });
const beat = { sequence: 1, index: 1, value: new Uint8Array(16) };
await cache.putRecord('a/one', record(1));
const underWay = cache.putRecord('a/two', record(1));
cache.records('a/');
const closed = cache.close();
const nothing = [cache.records('a/').size, cache.version()];
const afterwards = [
  cache.putRecord('a/three', record(1)),
  cache.putBeats(new Map([['a/one', beat]])),
  cache.putPart('00', new Uint8Array(1)),
  cache.removeRecord('a/one'),
  cache.keepParts(() => false),
];
await Promise.all([underWay, closed, ...afterwards]);
for (let i = 0; i < 100; i++) await cache.putRecord(`a/${i}`, record(i));
const found = [cache.records('a/').size, cache.beats('a/').size, cache.part('00'), cache.beatsVersion()];
process.stdout.write(`${[...nothing, ...found].join()} `);
await cache.close();

await using again = await openRecordCache(folder);
process.stdout.write(`${[...again.records('a/').keys()].join(' ')} done\n`);
