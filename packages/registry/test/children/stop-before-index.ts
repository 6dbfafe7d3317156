import { writeSync } from 'node:fs';
import { openRegistry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';

// Installs a model, but kills itself after the folder was moved and before the index is written.
const [home, ifExists] = process.argv.slice(2) as [string, 'skip' | 'overwrite'];
const registry = await openRegistry({ home });
const stringify = JSON.stringify;
JSON.stringify = ((value: unknown, ...rest: []) => {
  if (typeof value === 'object' && value !== null && 'aliases' in value && 'interrupted' in value) {
    writeSync(1, 'about to write the index');
    process.kill(process.pid, 'SIGKILL');
  }
  return stringify(value, ...rest);
}) as typeof JSON.stringify;
await installFiles(
  registry,
  { 'best.ckpt': 'weights', 'sub/config.yaml': 'a: 1' },
  { alias: 'orphan' as never, ifExists, entry: { notes: 'from the killed child' } },
);
