import { describe, expect, it } from '@jest/globals';
import { linuxTable } from '../../src/process/linux-table.ts';
import { psTable } from '../../src/process/ps-table.ts';
import type { ProcessTable } from '../../src/process/types.ts';

describe.each([
  ['/proc', linuxTable],
  ['ps', psTable],
] as readonly [string, ProcessTable][])('the processes by %s', (_, table) => {
  it('are there with their parents and memory', async () => {
    const processes = await table.read();
    const own = processes.get(process.pid);
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid, isZombie: false });
    expect(own?.memoryBytes).toBeGreaterThan(process.memoryUsage.rss() / 4);
    expect(own?.memoryBytes).toBeLessThan(process.memoryUsage.rss() * 4);
    expect(own?.cpuSeconds).toBeLessThan(process.uptime() * 64);
    expect(processes.get(process.ppid)).toBeDefined();
  });
});

describe('the variables of a process', () => {
  it('are known whole, and not by a part', async () => {
    const [name, value] = Object.entries(process.env).find(([, text]) => (text ?? '').length > 3) as [string, string];
    expect(await linuxTable.hasVariable(process.pid, `${name}=${value}`)).toBe(true);
    expect(await linuxTable.hasVariable(process.pid, `${name}=${value.slice(0, -1)}`)).toBe(false);
    expect(await linuxTable.hasVariable(0x7fffffff, 'A=b')).toBe(false);
  });
});
