import { describe, expect, it } from '@jest/globals';
import { type LaneRate, laneKindsText, lanesText } from '../../src/console/lanes-text.ts';

const lane = (kind: string, megabytes: number, engine?: string, source = 'lab'): LaneRate => ({
  ...{ source, kind, engine },
  bytesPerSecond: megabytes * 1e6,
});

describe('lanesText', () => {
  it('says what carries a transfer and how fast it is, lanes of one kind together', () => {
    expect(lanesText([lane('direct', 412)])).toBe('direct 412 MB/s');
    const eight = Array.from({ length: 8 }, () => lane('webrtc', 2.25, 'native'));
    expect(lanesText([lane('relay', 2), ...eight])).toBe('webrtc/native x8 18 MB/s + relay 2 MB/s');
  });

  it('names the workers when there are several', () => {
    const lanes = [lane('direct', 1), lane('direct', 9, undefined, 'gpu')];
    expect(lanesText(lanes)).toBe('gpu direct 9 MB/s + lab direct 1 MB/s');
  });

  it('leaves out what stands still, and makes names of other machines harmless', () => {
    expect(lanesText([lane('direct', 0)])).toBe('');
    expect(lanesText([lane('direct', 1, undefined, 'a\u001b[2J'), lane('direct', 2)])).not.toContain('\u001b');
  });
});

describe('laneKindsText', () => {
  it('counts lanes of a kind', () => {
    const lanes = [lane('webrtc', 1, 'werift'), lane('webrtc', 1, 'werift'), lane('relay', 1)];
    expect(laneKindsText(lanes)).toBe('webrtc/werift x2 + relay');
  });
});
