import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { usableCandidate } from '../../../src/lanes/webrtc/candidate.ts';
import { parseDescription } from '../../../src/lanes/webrtc/description.ts';

interface Case {
  readonly name: string;
  readonly type: 'offer' | 'answer';
  readonly sdp: string;
}

const file = new URL('../../../../protocol/vectors/descriptions.json', import.meta.url);
const { accepted, refused, candidates } = JSON.parse(readFileSync(file, 'utf8')) as {
  accepted: (Case & { readonly says: object })[];
  refused: Case[];
  candidates: { used: string[]; passedOver: string[] };
};

describe('the SDP of the other side', () => {
  it.each(accepted)('is read: $name', ({ type, sdp, says }) => {
    expect(parseDescription(type, sdp)).toEqual({ type, ...says });
  });

  it.each(refused)('is refused: $name', ({ type, sdp }) => {
    expect(() => parseDescription(type, sdp)).toThrow(expect.objectContaining({ code: 'malformed_message' }));
  });

  it.each(candidates.used)('has a candidate that is used: %s', (text) => {
    expect(usableCandidate(text)?.toLowerCase()).toBe(text.toLowerCase());
  });

  it.each(candidates.passedOver)('has a candidate that is passed over: %s', (text) => {
    expect(usableCandidate(text)).toBeUndefined();
  });
});
