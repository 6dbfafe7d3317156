import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { ModelProgress } from '@model-rtc/client';
import { Output } from '../../src/console/output.ts';
import type { ConsoleStream, Runtime } from '../../src/console/runtime.ts';

class Captured extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function setup(options: { quiet?: boolean; json?: boolean } = {}) {
  const stderr: Captured & ConsoleStream = new Captured();
  const stdout: Captured & ConsoleStream = new Captured();
  const runtime = { stdout, stderr } as unknown as Runtime;
  const clock = { ms: 0 };
  const output = new Output(runtime, { json: false, quiet: false, ...options }, () => clock.ms);
  return { stderr, stdout, output, clock, show: await output.progress() };
}

function transfer(doneBytes: number): ModelProgress {
  return { type: 'local', phase: 'hash', doneBytes, totalBytes: 1000 };
}

describe('progress where there is no terminal', () => {
  it('is one plain line a second or fewer', async () => {
    const { stderr, clock, show } = await setup();
    for (let ms = 0; ms < 5000; ms += 10) {
      clock.ms = ms;
      show(transfer(ms / 10));
    }
    expect(stderr.text.trimEnd().split('\n')).toHaveLength(4);
    expect(stderr.text).toContain('hashing  10%  100 B of 1 kB');
  });

  it('says at once what a person must know', async () => {
    const { stderr, show } = await setup();
    show(transfer(1));
    show({ type: 'reconnecting', reason: 'The other side is gone.' });
    show({ type: 'source_changed', reason: 'weights.bin changed.' });
    expect(stderr.text).toMatch(/connection was lost: The other side is gone\./);
    expect(stderr.text).toMatch(/changed while it was being sent/);
  });

  it('is nothing with --quiet, and nothing after its end', async () => {
    const quiet = await setup({ quiet: true });
    quiet.show(transfer(500));
    expect(quiet.stderr.text).toBe('');
    const ended = await setup();
    ended.output.result({}, '');
    ended.show({ type: 'reconnecting', reason: 'The other side is gone.' });
    expect(ended.stderr.text).toBe('');
  });
});

describe('Output', () => {
  it('puts results on standard output and all else on standard error', async () => {
    const { stdout, stderr, output } = await setup();
    output.note('note');
    output.error({ code: 'network', message: 'No way\nthere.' });
    output.result({ a: 1 }, 'text');
    expect(stdout.text).toBe('text\n');
    expect(stderr.text).toBe('note\nmodel-rtc: No way there.\n');
  });

  it('prints one line of JSON for a script', async () => {
    const { stdout, stderr, output } = await setup({ json: true });
    output.result({ a: 'x\ny' }, 'text');
    output.error({ code: 'network', message: 'No way.' });
    expect(JSON.parse(stdout.text)).toEqual({ a: 'x\ny' });
    expect(JSON.parse(stderr.text)).toEqual({ error: { code: 'network', message: 'No way.' } });
  });
});
