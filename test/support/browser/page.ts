/**
 * What a page does in test/e2e/browser.test.ts: connects to a worker as a client, lists its models and fetches one. Its
 * task is `globalThis.task`; it posts what came of it to the server that it came from.
 */
import { type Digest, type Manifest, ModelRtcError, parseSessionToken } from '@model-rtc/protocol';
import {
  createMemoryDisk,
  fetchModel,
  type LaneBytes,
  type MemoryDisk,
  peerPool,
  planLayout,
  type TransferProgress,
} from '@model-rtc/transfer/core';
import { connectToSession } from '@model-rtc/transport/browser';
import type { LaneChoice, Peer } from '@model-rtc/transport/core';

/** More than the test's model. */
const MAX_BYTES = 100e6;

export interface PageTask {
  readonly session: string;
  readonly ref: string;
  readonly lane: LaneChoice;
}

export interface PageResult {
  readonly models: readonly string[];
  /** SHA-256 of what came of each file, by its path. */
  readonly files: Readonly<Record<string, string>>;
  /** What each connection brought. */
  readonly lanes: readonly LaneBytes[];
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
  const { disk, lanes } = await fetchIntoMemory(peer, entry.digest, manifest);
  const files = await hashFiles(manifest, disk);
  return { models: models.map(({ id }) => id), files, lanes };
}

/** As any page would: by the same scheduler as on Node, over all lanes that come up meanwhile, into memory. */
async function fetchIntoMemory(
  peer: Peer,
  digest: Digest,
  manifest: Manifest,
): Promise<{ disk: MemoryDisk; lanes: readonly LaneBytes[] }> {
  let lanes: readonly LaneBytes[] = [];
  const layout = planLayout({ digest, ...manifest });
  const disk = createMemoryDisk(layout, { maxBytes: MAX_BYTES });
  const { pool, stop } = peerPool(peer, digest, 'worker');
  const onProgress = (progress: TransferProgress) => {
    lanes = progress.lanes;
  };
  await fetchModel({ layout, disk, sources: pool, onProgress });
  stop();
  return { disk, lanes };
}

/** By the browser's own SHA-256, and not by the one that the transfer used. */
async function hashFiles({ files }: Manifest, disk: MemoryDisk): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const { path } of files) {
    const bytes = await new Blob(disk.parts(path)).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    hashes[path] = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
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
