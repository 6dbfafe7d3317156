import { HttpError } from '../../packages/bridge/src/http/problems.ts';
import { wantedBytes } from '../../packages/bridge/src/http/range.ts';
import { numberParameter, parseTarget } from '../../packages/bridge/src/http/target.ts';
import { parseHubPath } from '../../packages/bridge/src/hugging-face/target.ts';
import { texts } from './answers.ts';
import type { FuzzTarget } from './fuzz.ts';

const SIZE = 1000;
const ETAG = '"5f5f"';

/** An answer of the bridge with a status is one; all else is a fault. */
function answeredWith<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof HttpError) return undefined;
    throw error;
  }
}

/** What clients of the HTTP bridge send: Node's own reader has taken the request apart before. */
export const BRIDGE_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'http-ranges',
    samples: async () =>
      texts('bytes=0-99', 'bytes=-5', 'bytes=5-,7-8 , 90-', 'items=1-2', `${ETAG}\nbytes=1-2\n${ETAG}`),
    read(bytes) {
      const [range = '', since, match, none] = Buffer.from(bytes).toString('latin1').split('\n');
      const headers = { range, 'if-range': since, 'if-match': match, 'if-none-match': none };
      for (const size of [SIZE, 0]) {
        const wanted = wantedBytes('GET', headers, size, ETAG);
        if (wanted.kind !== 'part') continue;
        const { start, end } = wanted;
        if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end < size))
          throw new Error(`${start} to ${end} of ${size} bytes`);
      }
    },
  },
  {
    name: 'http-paths',
    samples: async () =>
      texts(
        '/v1/models/llama%20one?limit=5',
        '/hf/api/models/org/name/tree/main/sub%2Ffolder',
        '/hf/org/name/resolve/refs%2Fpr%2F1/a/b.gguf',
        `/v2/library/llama/blobs/sha256:${'5f'.repeat(32)}`,
      ),
    read(bytes) {
      const target = answeredWith(() => parseTarget(Buffer.from(bytes).toString('latin1')));
      if (target === undefined) return;
      if (target.path.some((part) => /\p{Cc}/u.test(part))) throw new Error(`${target.path}`);
      answeredWith(() => numberParameter(target.query, 'limit', 100));
      parseHubPath(target.path.slice(1));
    },
  },
];
