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
  const runtime = { stdout, stderr, env: {} } as unknown as Runtime;
  const clock = { ms: 0 };
  const output = new Output(runtime, { json: false, quiet: false, ...options }, () => clock.ms);
  return { stderr, stdout, output, clock, show: await output.progress() };
}

function transfer(doneBytes: number): ModelProgress {
  return { type: 'local', phase: 'hash', doneBytes, totalBytes: 1000 };
}

/** What a transfer tells, of 1000 bytes. */
function counts(doneBytes: number) {
  const bytes = { doneBytes, totalBytes: 1000, transferredBytes: doneBytes, reusedBytes: 0, resumedBytes: 0 };
  const wasted = { wastedBytes: 0, duplicateBytes: 0, bytesPerSecond: 0, secondsLeft: undefined };
  return { type: 'transfer' as const, ...bytes, ...wasted, sources: [], lanes: [], dropped: [] };
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
    show({ type: 'reconnecting', reason: 'The connection to the other side was lost; try again.' });
    show({ type: 'source_changed', reason: 'weights.bin changed.' });
    expect(stderr.text).toMatch(/^The connection was lost\. Reconnecting; what has arrived is kept\.\n/);
    show({ type: 'reconnecting', reason: 'The other side is gone. Check the network, then try again.' });
    expect(stderr.text).toContain('The connection was lost: The other side is gone. Check the network. Reconnecting');
    expect(stderr.text).toMatch(/changed while it was being sent/);
  });

  it('says once that it waits for another process, and shows no progress that there is not', async () => {
    const { stderr, clock, show } = await setup();
    for (let second = 0; second < 5; second++) {
      clock.ms = second * 1000;
      show({ ...counts(0), state: 'preparing', reason: 'waiting_for_lock' });
    }
    expect(stderr.text).toMatch(/^Another process of this machine is fetching the same model[^\n]*\n$/);
  });

  it('says the same of a push whose worker waits', async () => {
    const { stderr, clock, show } = await setup();
    for (let second = 0; second < 5; second++) {
      clock.ms = second * 1000;
      const { type: _, ...told } = counts(0);
      show({ ...told, type: 'remote', state: 'preparing', reason: 'waiting_for_lock', warning: undefined });
    }
    expect(stderr.text).toMatch(/^Another transfer at the worker is fetching the same model[^\n]*\n$/);
  });

  it('shows no time left when there is none', async () => {
    const { stderr, clock, show } = await setup();
    clock.ms = 2000;
    show({ ...counts(1000), state: 'transferring', secondsLeft: 0 });
    expect(stderr.text).not.toContain('left');
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
