import { readdir, readFile } from 'node:fs/promises';

/** Processes whose command line or environment names something, as /proc shows them. */
export async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const parts = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${name}/${file}`, 'latin1').catch(() => '')),
    );
    if (parts.some((part) => part.includes(text))) found.push(Number(name));
  }
  return found;
}
