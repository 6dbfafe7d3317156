import { describe, expect, it } from '@jest/globals';
import { fetchedText } from '../../../../src/commands/client/import-model/from-hub.ts';

describe('what was fetched from a hub', () => {
  it('is compared with the size of the model that the hub has', () => {
    const report = {
      ...{ transferredBytes: 11_100, reusedBytes: 0, resumedBytes: 0, seconds: 1, bytesPerSecond: 11_100 },
      entry: { size: 22_200 },
    };
    const text = fetchedText(report as Parameters<typeof fetchedText>[0]);
    expect(text).toMatch(/^fetched 11\.1 of 22\.2 kB in 1s \(11\.1 kB\/s\)/);
  });
});
