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
    expect(error).toContain(`Pass ${name} only once.`);
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

describe('what is told of arguments that are refused', () => {
  it.each([
    [
      'client',
      'Missing command. For example: model-rtc client import-model ./runs/mouse. See: model-rtc client --help',
    ],
    ['client pull-model', 'Missing argument: REF. See: model-rtc client pull-model --help'],
    [
      'client tag-model x -lead',
      '"-lead" begins with a dash, so it is taken for options. An alias starts and ends with a letter or digit.',
    ],
    ['--json client tag-model a', 'Missing argument: ALIAS. See: model-rtc client tag-model --help'],
    ['client pul-model a', 'Unknown command: pul-model. Did you mean pull-model? See: model-rtc client --help'],
    ['worker tidy', 'Unknown command: tidy. See: model-rtc worker --help'],
    ['client workers list lab', 'Unexpected argument: lab. See: model-rtc client workers list --help'],
    ['client pull-model a --dry-rn --xx', 'Unknown option: --dry-rn, --xx. See: model-rtc client pull-model --help'],
    ['client export-model a', 'Missing option: --to. See: model-rtc client export-model --help'],
    ['client update-model a --notes', '--notes needs a value. See: model-rtc client update-model --help'],
    [
      'client repair-model a --path b --from c',
      'Pass only one of --path and --from. See: model-rtc client repair-model',
    ],
    ['client verify --lane tin', '--lane cannot be "tin". Choose one of "auto", "direct", "webrtc", "relay". See: '],
    ['settings get speed', 'NAME cannot be "speed". Choose one of "limit.up", "limit.down", '],
    ['signaling --port http', '--port takes a number. See: model-rtc signaling --help'],
  ])('%s', async (line, expected) => {
    const { code, error } = await run(...line.split(' '));
    expect(code).toBe(2);
    expect(error).toContain(expected);
  });
});
