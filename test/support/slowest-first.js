import TestSequencer from '@jest/test-sequencer';

/**
 * The test files that take more than a minute. With several workers whoever gets one of them last keeps the run waiting,
 * and on a fresh checkout jest knows no durations and goes by the size of the files.
 */
const SLOWEST = [
  'packages/transport/test/lanes/webrtc/webrtc-lane.process.test.ts',
  'test/e2e/transfer.test.ts',
  'test/e2e/interruptions.test.ts',
  'test/e2e/registry-writers.long.test.ts',
];

/** Jest's own order, in which the slowest files come first. */
class SlowestFirst extends TestSequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const index = SLOWEST.findIndex((file) => path.replaceAll('\\', '/').endsWith(`/${file}`));
      return index === -1 ? SLOWEST.length : index;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}

// biome-ignore lint/style/noDefaultExport: it is how jest finds it
export default SlowestFirst;
