import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';

const PROGRAM = new URL('../../src/presets/capture-output.ts', import.meta.url);

async function capture(script: string) {
  const file = join(await temporaryFolder(), 'answer.txt');
  const end = await startChild(PROGRAM, [file, process.execPath, '-e', script]).ended;
  return { ...end, kept: await readFile(file, 'utf8').catch(() => undefined) };
}

describe('a program whose output is kept', () => {
  it('has it in a file, all of it, and shows it as well', async () => {
    const { code, output, kept } = await capture(
      'process.stderr.write("loading "); for (let i = 0; i < 200000; i++) process.stdout.write("answer\\n")',
    );
    expect(code).toBe(0);
    expect(kept).toBe('answer\n'.repeat(200_000));
    expect(output.length).toBe('loading '.length + (kept ?? '').length);
  });

  it('ends it as it ends itself', async () => {
    expect(await capture('console.log("half"); process.exit(7)')).toMatchObject({ code: 7, kept: 'half\n' });
    expect(await capture('process.kill(process.pid, "SIGKILL")')).toMatchObject({ signal: 'SIGKILL' });
    expect(await capture('process.stdin.resume()')).toMatchObject({ code: 0 });
  });

  it('says so when it cannot be started', async () => {
    const file = join(await temporaryFolder(), 'answer.txt');
    const { code, output } = await startChild(PROGRAM, [file, '/nowhere/llama-cli']).ended;
    expect([code, output]).toEqual([1, expect.stringContaining('/nowhere/llama-cli')]);
  });
});
