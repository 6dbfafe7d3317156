import { describe, expect, it } from '@jest/globals';
import { isOnlyHere } from '../../../src/commands/worker/start.ts';

describe('an address of a worker', () => {
  it.each([
    'ws://127.0.0.1:8787',
    'ws://localhost:1',
    'ws://[::1]:8787',
    'ws://169.254.3.4:8787',
    'ws://[fe80::1]:8787',
  ])('means nothing to other machines when it is loopback or link-local: %s', (url) =>
    expect(isOnlyHere(url)).toBe(true),
  );

  it.each(['ws://192.0.2.2:8787', 'wss://signal.lab.example', 'ws://[fd00::2]:9', 'ws://10.0.0.1:1'])(
    'is good for others otherwise: %s',
    (url) => expect(isOnlyHere(url)).toBe(false),
  );
});
