import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import fc from 'fast-check';
import { parseInvite, requireValid } from '../../../src/core/index.ts';
import { inviteText, MESH_ID, START_MS } from '../../support/people.ts';

const { text } = inviteText();

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ModelRtcError) return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('parseInvite', () => {
  it('reads what makeInvite wrote, with quotes and white space around it', () => {
    const invite = parseInvite(` "${text}"\n`);
    expect(Buffer.from(invite.certificate.meshId).toString('hex')).toBe(MESH_ID);
    expect(invite.certificate.meshName).toBe('lab');
    expect(invite.urls).toEqual(['ws://10.0.0.1:8787']);
  });

  it.each([
    ['nothing', '', 'an invite starts with'],
    ['one character mistyped', `${text.slice(0, 40)}${text[40] === 'A' ? 'B' : 'A'}${text.slice(41)}`, 'mistyped'],
    ['cut off', text.slice(0, -8), 'mistyped'],
    ['of a later version', text.replace('mrtcmesh1_', 'mrtcmesh2_'), 'Upgrade'],
    ['a session token', 'mrtc1_AAAA', 'session token'],
    ['endless', `mrtcmesh1_${'A'.repeat(9000)}`, 'too long'],
  ])('refuses %s and says what to do', (_, given, expected) => {
    const message = messageOf(() => parseInvite(given));
    expect(message).toContain(expected);
    if (given.length > 40) expect(message).not.toContain(given.slice(20, 40));
  });

  it('gives a ModelRtcError for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(text.length), (noise, at) => {
        messageOf(() => parseInvite(`mrtcmesh1_${noise}`));
        messageOf(() => parseInvite(`${text.slice(0, at)}${noise}!${text.slice(at)}`));
      }),
    );
  });

  it('leaves it to requireValid to say that it has expired', () => {
    const { certificate } = parseInvite(text);
    requireValid(certificate, START_MS + 6 * 86_400_000);
    expect(messageOf(() => requireValid(certificate, START_MS + 8 * 86_400_000))).toContain('expired on 2026-01-08');
  });
});
