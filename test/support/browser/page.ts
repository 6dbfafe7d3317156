/**
 * What a page does in test/e2e/browser.test.ts: connects to a worker as a client, lists its models and fetches one. Its
 * task is `globalThis.task`; it posts what came of it to the server that it came from.
 */
import { type Digest, type Manifest, ModelRtcError, modelSize, parseSessionToken } from '@model-rtc/protocol';
import { connectToSession } from '@model-rtc/transport/browser';
import type { ChunkPiece, LaneChoice, LaneInfo, Peer } from '@model-rtc/transport/core';

const REQUESTS_AT_ONCE = 4;
const CHUNKS_PER_REQUEST = 4;

export interface PageTask {
  readonly session: string;
  readonly ref: string;
  readonly lane: LaneChoice;
}

export interface PageResult {
  readonly models: readonly string[];
  /** SHA-256 of what came of each file, by its path. */
  readonly files: Readonly<Record<string, string>>;
  readonly lanes: readonly LaneInfo[];
}

export type PageReport = { readonly result: PageResult } | { readonly error: { code: string; message: string } };

async function run({ session, ref, lane }: PageTask): Promise<PageResult> {
  const token = parseSessionToken(session);
  const agent = { name: 'page', version: '1' };
  // The page's own classes, so that their types are held against what the transport asks for.
  const platform = { WebSocket: globalThis.WebSocket, RTCPeerConnection: globalThis.RTCPeerConnection };
  await using peer = await connectToSession({ token, agent, lane }, platform);
  const { models } = await peer.request('list_models', {});
  const { entry } = await peer.request('get_model_info', { ref });
  if (entry.digest === undefined) throw new Error(`${ref} is not complete`);
  const { manifest } = await peer.request('get_manifest', { digest: entry.digest });
  const bytes = await fetchChunks(peer, entry.digest, manifest);
  const files = await hashFiles(manifest, bytes);
  return { models: models.map(({ id }) => id), files, lanes: peer.lanes };
}

/** Asks for all chunks, some requests at a time, and lays them end to end. */
async function fetchChunks(
  peer: Peer,
  digest: Digest,
  { chunks, ...model }: Manifest,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(modelSize(model));
  const starts: number[] = [];
  let end = 0;
  for (const { size } of chunks) {
    starts.push(end);
    end += size;
  }
  let next = 0;
  const fetchSome = async () => {
    for (let first = next; first < chunks.length; first = next) {
      next += CHUNKS_PER_REQUEST;
      const wanted = chunks.slice(first, next).map((chunk, i) => ({ index: first + i, digest: chunk.digest }));
      await askUntilAnswered(() => peer.request('get_chunks', { digest, chunks: wanted }, { onChunk: take }));
    }
  };
  const take = ({ index, offset, payload, intact }: ChunkPiece) => {
    const start = starts[index];
    if (!intact || start === undefined) throw new Error(`chunk ${index} came damaged`);
    bytes.set(payload, start + offset);
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, fetchSome));
  return bytes;
}

/** A request for chunks ends with the lane that it went over; the peer has others. */
async function askUntilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt === 10 || !ModelRtcError.from(error).recoversBy('reconnect')) throw error;
    }
  }
}

async function hashFiles({ files }: Manifest, bytes: Uint8Array<ArrayBuffer>): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  let start = 0;
  for (const { path, size } of files) {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.subarray(start, start + size)));
    hashes[path] = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
    start += size;
  }
  return hashes;
}

async function report(): Promise<PageReport> {
  try {
    return { result: await run((globalThis as unknown as { task: PageTask }).task) };
  } catch (error) {
    const { code, message, stack } = ModelRtcError.from(error);
    return { error: { code, message: `${message} ${stack}` } };
  }
}

await fetch('/report', { method: 'POST', body: JSON.stringify(await report()) });
