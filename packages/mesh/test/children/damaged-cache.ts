/** Puts a value into a mesh's cache that no version wrote, then opens the cache twice, and prints what is in it and what was warned of. */
import { join } from 'node:path';
import { silentLog } from '@model-rtc/protocol';
import { open } from 'lmdb';
import { openRecordCache } from '../../src/node/state/record-cache.ts';

const [folder, table, text] = process.argv.slice(2) as [string, string, string];
const record = { bytes: Buffer.from('abc'), heardAtMs: 1, order: 1 };

const sound = await openRecordCache(folder);
await sound.putRecord('a/1', record);
await sound.close();

const root = open({ path: join(folder, 'cache'), maxDbs: 4, noSubdir: false });
await root.openDB<Uint8Array, string>({ name: table, encoding: 'binary' }).put('a/2', Buffer.from(text, 'hex'));
await root.close();

const warnings: string[] = [];
const log = { ...silentLog, warn: (_: object, sentence: string) => void warnings.push(sentence) };
const opened = await openRecordCache(folder, log);
console.info(`${opened.records('a/').size} records, ${warnings.length} warnings`);
await opened.putRecord('a/3', record);
await opened.close();
const again = await openRecordCache(folder, log);
console.info(`${again.records('a/').size} records, ${warnings.length} warnings`);
await again.close();
