import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('./hostile-process.ts', import.meta.url));

describe.each(['native', 'werift'])('the %s engine', (engine) => {
  it('survives hostile descriptions and candidates, and the process ends by itself', async () => {
    const args = ['--import', 'tsx', '--conditions=@model-rtc/source', '--no-warnings', SCRIPT, engine];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const lines = stdout.trim().split('\n');
    expect(lines.at(-1)).toBe('survived');
    expect(lines.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'malformed_message malformed_message'));
    expect(lines.slice(10, 12).join(' ')).toMatch(/^((timeout|network) ?){4}$/);
  }, 60_000);
});
