import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { type Context, runInContext } from '../../src/console/context.ts';
import type { Runtime } from '../../src/console/runtime.ts';

/** DEL, C1, marks that turn text around, and a line separator: JSON leaves all of them as they are. */
const HOSTILE = 'a\u001b[31m\u007f\u009b2J\u202eb\u2066c\u200f\u2028d';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** What a command writes to both outputs. */
async function outputOf(
  options: { readonly verbose?: boolean; readonly json?: boolean },
  work: (context: Context) => void,
): Promise<{ stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const runtime = {
    ...{ stdin: new PassThrough(), stdout, stderr, env: { MODEL_RTC_HOME: '/nowhere' } },
    ...{ platform: 'linux', userHome: undefined, onInterrupt: () => () => {} },
  } as unknown as Runtime;
  await runInContext(runtime, { verbose: false, json: false, quiet: false, ...options }, async (context) =>
    work(context),
  );
  stdout.end();
  stderr.end();
  return { stdout: await text(stdout), stderr: await text(stderr) };
}

describe("another machine's words on the terminal", () => {
  it.each([
    ['a warning', {}, (context: Context) => context.log.warn({}, HOSTILE)],
    ['the log of --verbose', { verbose: true }, (context: Context) => context.log.debug({ name: HOSTILE }, HOSTILE)],
    ['a note', {}, (context: Context) => context.output.note(HOSTILE)],
    ['a result of --json', { json: true }, (context: Context) => context.output.result({ name: HOSTILE }, '')],
    [
      'an error of --json',
      { json: true },
      () => {
        throw new ModelRtcError('refused', HOSTILE);
      },
    ],
    [
      'an error with --verbose',
      { verbose: true },
      () => {
        throw new ModelRtcError('refused', HOSTILE, { cause: new Error(HOSTILE) });
      },
    ],
  ] as const)('are no commands to it: %s', async (_, options, work) => {
    const { stdout, stderr } = await outputOf(options, work);
    expect(stdout + stderr).toMatch(/a.*b.*c.*d/);
    expect(stdout + stderr).not.toMatch(UNSAFE);
  });

  it('mean the same in JSON', async () => {
    const { stdout } = await outputOf({ json: true }, ({ output }) => output.result({ name: HOSTILE }, ''));
    expect(JSON.parse(stdout)).toEqual({ name: HOSTILE });
  });
});
