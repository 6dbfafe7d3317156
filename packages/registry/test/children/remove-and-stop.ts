import { writeSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

// Removes a model, but kills itself just before one step of it: `index`, `rename` (of what is to be deleted or kept), `rm`.
const [home, ref, step, keepFiles] = process.argv.slice(2) as [string, string, 'index' | 'rename' | 'rm', string];

function stop(): never {
  writeSync(1, 'about to do the step');
  process.kill(process.pid, 'SIGKILL');
  throw new Error('not reached');
}

const { rename, rm } = fs;
const { stringify } = JSON;
if (step === 'index') {
  JSON.stringify = ((value: unknown, ...rest: []) => {
    if (typeof value === 'object' && value !== null && 'aliases' in value && 'interrupted' in value) stop();
    return stringify(value, ...rest);
  }) as typeof JSON.stringify;
}
fs.rename = async (from, to) => {
  if (step === 'rename' && /\/(doomed-[0-9a-f]+$|kept\/)/.test(String(to).replaceAll('\\', '/'))) stop();
  await rename(from, to);
};
fs.rm = async (path, options) => {
  if (step === 'rm' && /doomed-[0-9a-f]+$/.test(String(path))) stop();
  await rm(path, options);
};
syncBuiltinESMExports();

const { openRegistry } = await import('../../src/index.ts');
const registry = await openRegistry({ home });
await registry.remove(ref, { keepFiles: keepFiles === 'keep' });
