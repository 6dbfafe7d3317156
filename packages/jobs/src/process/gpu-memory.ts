import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Tool } from './types.ts';

const run = promisify(execFile);
const MEBIBYTE = 1024 * 1024;
/** A driver that hangs must not hold up the measuring. */
const QUERY_MS = 5_000;

/** GPU memory of some processes together; undefined without nvidia-smi, or when it does not answer. */
export async function gpuMemoryBytes(nvidiaSmi: Tool, pids: ReadonlySet<number>): Promise<number | undefined> {
  if (nvidiaSmi.path === undefined) return undefined;
  const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
  const answer = await run(nvidiaSmi.path, query, { timeout: QUERY_MS, env: { LC_ALL: 'C' } }).catch(() => undefined);
  if (answer === undefined) return undefined;
  let sum = 0;
  for (const line of answer.stdout.split('\n')) {
    const [pid, mebibytes] = line.split(',').map(Number);
    if (pid !== undefined && pids.has(pid) && Number.isFinite(mebibytes)) sum += (mebibytes as number) * MEBIBYTE;
  }
  return sum;
}
