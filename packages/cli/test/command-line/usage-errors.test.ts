import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/cli.ts';
import type { Runtime } from '../../src/console/runtime.ts';

async function run(...args: string[]): Promise<{ code: number; error: string }> {
  let error = '';
  const stream = (write: (text: string) => void) => ({ isTTY: false, columns: 80, write });
  const runtime = {
    ...{ env: {}, platform: 'linux', userHome: '/nowhere', stdin: { isTTY: false } },
    ...{ stdout: stream(() => {}), stderr: stream((text) => (error += text)), onInterrupt: () => () => {} },
  } as unknown as Runtime;
  return { code: await runCli(args, runtime), error };
}

describe('an option with one value that is given twice', () => {
  it.each([
    ['--limit', ['client', 'pull-model', 'mouse', '--worker', 'lab', '--limit', '20MB', '--limit', '30MB']],
    ['--limit', ['client', 'list-models', '--limit', '1', '--limit', '2']],
    ['--relay-rate', ['signaling', '--relay-rate', '20MB', '--relay-rate', '30MB']],
    ['--relay-total', ['signaling', '--relay-total', '20MB', '--relay-total', '30MB']],
    ['--worker', ['client', 'push-model', 'mouse', '--worker', 'lab', '--worker', 'gpu']],
    ['--lane', ['client', 'pull-model', 'mouse', '--lane', 'relay', '--lane', 'direct']],
  ])('is refused with a sentence: %s', async (name, args) => {
    const { code, error } = await run(...args);
    expect(code).toBe(2);
    expect(error).toContain(`Give ${name} once.`);
  });

  it('is no mistake where several are meant', async () => {
    const { error } = await run(
      'client',
      'pull-model',
      'mouse',
      '--worker',
      'lab',
      '--worker',
      'gpu',
      '--limit',
      'fast',
    );
    expect(error).toContain('"fast" is not a rate');
  });
});
