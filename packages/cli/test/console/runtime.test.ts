import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Output } from '../../src/console/output.ts';
import { isCapable, type Runtime } from '../../src/console/runtime.ts';

const terminal = (columns: number | undefined) => Object.assign(new PassThrough(), { isTTY: true, columns });

describe('a terminal', () => {
  it.each<[string, number | undefined, boolean]>([
    ['xterm', 80, true],
    ['dumb', 80, false],
    ['xterm', 0, false],
  ])('of kind %s with %s columns can move its cursor: %s', (TERM, columns, capable) => {
    expect(isCapable({ stderr: terminal(columns), env: { TERM } })).toBe(capable);
  });

  it('that says that it has no columns limits no table', () => {
    const runtime = { stdout: terminal(0), stderr: terminal(0), env: {} } as unknown as Runtime;
    expect(new Output(runtime, { json: false, quiet: false }).columns).toBeUndefined();
  });

  it('gets no cursor movements with TERM=dumb, but plain lines', async () => {
    const stderr = terminal(80);
    const runtime = { stdout: terminal(80), stderr, env: { TERM: 'dumb' } } as unknown as Runtime;
    let nowMs = 0;
    const show = await new Output(runtime, { json: false, quiet: false }, () => nowMs).progress();
    nowMs = 2000;
    show({ type: 'local', phase: 'hash', doneBytes: 1, totalBytes: 2 });
    expect(String(stderr.read())).toBe('hashing  50%  1 B of 2 B\n');
  });
});
