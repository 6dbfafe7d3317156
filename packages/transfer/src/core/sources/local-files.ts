import type { Digest } from '@model-rtc/protocol';
import { bytesInModel, chunkCount, extentsAt, type Layout, type LayoutFile, placesOf } from '../layout/layout.ts';
import type { LocalSource } from './local-chunks.ts';
import type { ChunkSource } from './source.ts';

/** A file of a model that is looked for, with the hashes that are known of it. */
export interface WantedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest | undefined;
  readonly gitSha1: string | undefined;
}

/** A whole file on this machine. It was not checked since it was written. */
export interface FileHere {
  /** The bytes from an offset on; undefined when they can no longer be read. */
  read(offset: number, into: Uint8Array): Promise<Uint8Array | undefined>;
}

/** A place on this machine where whole files may be, known by their hashes. */
export interface LocalFiles {
  /** In messages. */
  readonly name: string;
  /** Those of the wanted files that are there, by their paths in the model. It never fails. */
  find(wanted: readonly WantedFile[], signal: AbortSignal | undefined): Promise<ReadonlyMap<string, FileHere>>;
}

/**
 * Finds the files that this machine has whole, and makes each place a source of what is missing of them. Their bytes are right if
 * their hashes are, like those of any other source.
 * @param isTaken - chunks that come from elsewhere on this machine
 */
export async function findLocalFiles(
  layout: Layout,
  isTaken: (id: number) => boolean,
  places: readonly LocalFiles[],
  signal: AbortSignal | undefined,
): Promise<LocalSource[]> {
  const open = openChunks(layout, isTaken);
  const sources: LocalSource[] = [];
  for (const place of places) {
    const wanted = filesOf(layout, open);
    if (wanted.length === 0) break;
    const found = await place.find(wanted, signal);
    const chunks = [...open].filter((id) => extentsOf(layout, id).every(({ file }) => found.has(pathAt(layout, file))));
    for (const id of chunks) open.delete(id);
    if (chunks.length > 0) sources.push({ source: sourceOf(place.name, found), chunks });
  }
  return sources;
}

function openChunks(layout: Layout, isTaken: (id: number) => boolean): Set<number> {
  const open = new Set<number>();
  for (let id = 0; id < chunkCount(layout); id++) if (!isTaken(id) && bytesInModel(layout, id) > 0) open.add(id);
  return open;
}

function filesOf(layout: Layout, chunks: ReadonlySet<number>): WantedFile[] {
  const numbers = new Set([...chunks].flatMap((id) => extentsOf(layout, id).map(({ file }) => file)));
  return [...numbers].map((number) => layout.files[number] as LayoutFile);
}

function extentsOf(layout: Layout, id: number) {
  return extentsAt(layout, placesOf(layout, id)[0] ?? 0);
}

function pathAt(layout: Layout, file: number): string {
  return (layout.files[file] as LayoutFile).path;
}

function sourceOf(name: string, found: ReadonlyMap<string, FileHere>): ChunkSource {
  return {
    ...{ name, isLocal: true, isLimited: false },
    async fetch(chunks, { signal, onPiece }) {
      for (const chunk of chunks) {
        let at = 0;
        for (const { path, offset, length } of chunk.extents()) {
          signal.throwIfAborted();
          const bytes = await found.get(path)?.read(offset, new Uint8Array(length));
          if (bytes?.length === length) onPiece(chunk.index, at, bytes, true);
          at += length;
        }
      }
    },
  };
}
