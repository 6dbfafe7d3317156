import { packValue, parseManifest, unpackValue } from '@model-rtc/protocol';
import { type Benchmark, besideRow, type Row } from '../support/benchmark.ts';

const FULL_REPEATS = 7;
const SHA256 = 'ab'.repeat(32);
/** Paths of 155 bytes, nearly as long as they may be on average, have so many folders above the last. */
const DEEP_FOLDERS = 74;

/** Manifests of about the longest that one message takes; a hundredth of that for a quick run. */
const MANIFESTS: Readonly<Record<string, (part: number) => unknown>> = {
  '117,000 deep paths': (part) => deepManifest(117_000 / part, (n, deep) => `${n % 50}/${deep}${n}`),
  '117,000 deep paths, each in a folder of its own': (part) =>
    deepManifest(117_000 / part, (n, deep) => `${n}/${deep}a`),
  '117,000 deep paths, each in a folder of its own that only ends differently': (part) =>
    deepManifest(117_000 / part, (n, deep) => `${deep}${n}/a`),
  '190,000 usual files': (part) =>
    manifestOf(190_000 / part, (n) => `layer-${n % 97}/${n}.bin`, [{ digest: SHA256, size: 190_000 / part }]),
  '380,000 chunks': (part) => {
    const chunks = Array.from({ length: 380_000 / part }, () => ({ digest: SHA256, size: 1 }));
    return { ...manifestOf(1, () => 'a', chunks), files: [{ path: 'a', size: chunks.length, sha256: SHA256 }] };
  },
};

export const manifests: Benchmark = {
  name: 'manifests',
  title: 'CPU time to check a manifest of the longest kind, beside that to decode it; more than 1 is slower',
  async run({ quick }, say) {
    const rows: Row[] = [];
    for (const [what, make] of Object.entries(MANIFESTS)) {
      say(what);
      const bytes = packValue(make(quick ? 100 : 1));
      const samples: number[] = [];
      const decoding: number[] = [];
      for (let repeat = 0; repeat < (quick ? 1 : FULL_REPEATS); repeat++) {
        let value: unknown;
        decoding.push(cpuMs(() => (value = unpackValue(bytes))));
        samples.push(cpuMs(() => parseManifest(value)));
      }
      rows.push(besideRow({ what, unit: 'ms', samples, beside: { samples: decoding, failed: undefined } }));
    }
    return rows;
  },
};

function manifestOf(count: number, pathOf: (n: number) => string, chunks: readonly object[]): object {
  const files = Array.from({ length: count }, (_, n) => ({ path: pathOf(n), size: 1, sha256: SHA256 }));
  return { version: 1, files, chunker: 'c', chunks };
}

function deepManifest(count: number, pathOf: (n: number, deep: string) => string): object {
  const deep = 'a/'.repeat(DEEP_FOLDERS);
  return manifestOf(count, (n) => pathOf(n, deep), [{ digest: SHA256, size: count }]);
}

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}
