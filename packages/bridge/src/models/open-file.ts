import { type Digest, type Manifest, ModelRtcError, pause, systemClock } from '@model-rtc/protocol';
import type { ModelReader, Registry } from '@model-rtc/registry';
import type { PartialModels, PartialReader } from '@model-rtc/transfer';
import { LOOK_AGAIN_MS } from '../limits.ts';
import type { FileBytes, ModelFile } from '../types.ts';
import { gone } from './contents.ts';
import type { Pull } from './pulls.ts';

export interface OpenFileOptions {
  readonly registry: Registry;
  readonly partials: PartialModels;
  /** Starts to fetch a model that only others have; undefined where nobody else is known. */
  readonly pull: ((digest: Digest) => Pull) | undefined;
}

/** A file, its model, and where the file begins among the model's files laid end to end. */
export interface FilePlace {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly file: ModelFile;
}

/**
 * Opens a file of a model to read its bytes. A model that is not here is fetched: reading waits for each chunk until it is here
 * and verified, and goes on in the installed model once that is there.
 * @throws ModelRtcError `busy` when it would have to be fetched and too many are
 */
export async function openFile(options: OpenFileOptions, place: FilePlace): Promise<FileBytes> {
  const { digest, manifest, file } = place;
  const start = startOf(manifest, file);
  let whole = await openWhole(options.registry, digest);
  const fetched = whole === undefined ? await openFetched(options, place) : undefined;

  async function read(offset: number, into: Uint8Array, signal: AbortSignal): Promise<number> {
    const length = Math.min(into.length, file.size - offset);
    for (;;) {
      if (whole !== undefined) {
        await whole.readAt(start + offset, into.subarray(0, length));
        return length;
      }
      const filled = await fetched?.read(offset, into.subarray(0, length));
      if (filled !== undefined) return filled;
      // Before the look at the registry, so that a model that is installed between the two is found.
      const failure = await fetched?.failure();
      whole = await openWhole(options.registry, digest);
      if (whole !== undefined) continue;
      if (failure !== undefined) throw failure;
      await pause(LOOK_AGAIN_MS, systemClock, signal);
    }
  }

  return { read, close: async () => await whole?.close() };
}

async function openWhole(registry: Registry, digest: Digest): Promise<ModelReader | undefined> {
  return (await registry.find(digest)) === undefined ? undefined : await registry.openModel(digest);
}

function startOf({ files }: Manifest, wanted: ModelFile): number {
  let start = 0;
  for (const file of files) {
    if (file.path === wanted.path) return start;
    start += file.size;
  }
  throw new ModelRtcError('not_found', `The model has no file ${JSON.stringify(wanted.path)}.`);
}

interface Fetched {
  /** undefined while the bytes are not here. */
  read(offset: number, into: Uint8Array): Promise<number | undefined>;
  /** Why nobody is fetching it any more. */
  failure(): Promise<ModelRtcError | undefined>;
}

/** A model that some process of this machine is fetching, or that this one is told to fetch. */
async function openFetched({ partials, pull: startPull }: OpenFileOptions, place: FilePlace): Promise<Fetched> {
  const { digest, file } = place;
  let opened = await openPartial(partials, place);
  const pull = opened === undefined ? startPull?.(digest) : undefined;
  if (opened === undefined && pull === undefined) throw gone(digest);
  let last: { readonly start: number; readonly bytes: Uint8Array } | undefined;

  return {
    async read(offset, into) {
      opened ??= await openPartial(partials, place);
      if (opened === undefined) return undefined;
      const at = startOf(opened.manifest, file) + offset;
      if (last === undefined || at < last.start || at >= last.start + last.bytes.length) {
        const chunk = opened.chunkAt(at);
        const bytes = await opened.reader.readChunk(chunk.digest);
        if (bytes === undefined) return undefined;
        last = { start: chunk.start, bytes };
      }
      const piece = last.bytes.subarray(at - last.start, at - last.start + into.length);
      into.set(piece);
      return piece.length;
    },
    async failure() {
      if (pull !== undefined) return pull.failure ?? (pull.hasEnded ? gone(digest) : undefined);
      return (await opened?.reader.isOver()) === true ? gone(digest) : undefined;
    },
  };
}

interface OpenedPartial {
  readonly reader: PartialReader;
  /** Cut as whoever fetches it does, which another machine may have done otherwise. */
  readonly manifest: Manifest;
  readonly chunkAt: ReturnType<typeof chunkFinder>;
}

async function openPartial(partials: PartialModels, { digest }: FilePlace): Promise<OpenedPartial | undefined> {
  const [reader, manifest] = [await partials.open(digest), await partials.manifest(digest)];
  return reader === undefined || manifest === undefined
    ? undefined
    : { reader, manifest, chunkAt: chunkFinder(manifest) };
}

/** The chunk that holds a byte of the files laid end to end. */
function chunkFinder({ chunks }: Manifest): (at: number) => { readonly digest: Digest; readonly start: number } {
  const starts = new Float64Array(chunks.length);
  for (let i = 1; i < chunks.length; i++) starts[i] = (starts[i - 1] as number) + (chunks[i - 1]?.size ?? 0);
  return (at) => {
    let [low, high] = [0, chunks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return { digest: chunks[low]?.digest as Digest, start: starts[low] as number };
  };
}
