import { describe, expect, it } from '@jest/globals';
import { iceServers } from '../../src/commands/connect.ts';

describe('iceServers', () => {
  it('takes STUN and TURN servers as people write them', () => {
    expect(iceServers(['stun:stun.lab.example:3478', 'turn:me:p%40ss@turn.lab.example:3478'], {})).toEqual([
      { urls: 'stun:stun.lab.example:3478' },
      { urls: 'turn:turn.lab.example:3478', username: 'me', credential: 'p@ss' },
    ]);
  });

  it('takes those of the environment when none are given', () => {
    const env = { MODEL_RTC_ICE_SERVERS: 'stun:a:1, stun:b:2' };
    expect(iceServers([], env).map(({ urls }) => urls)).toEqual(['stun:a:1', 'stun:b:2']);
    expect(iceServers(['stun:c:3'], env).map(({ urls }) => urls)).toEqual(['stun:c:3']);
  });

  it('refuses what is none, without repeating a password', () => {
    for (const text of ['a:1', 'turn:host:3478', 'stun:user:secret@host:1', 'turn:user:secret', '']) {
      expect(() => iceServers([text], {})).toThrow(
        expect.objectContaining({ code: 'bad_argument', message: expect.not.stringContaining('secret') }),
      );
    }
  });
});
