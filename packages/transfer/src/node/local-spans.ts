import { createHash } from 'node:crypto';
import type { Digest, Manifest, ModelEntry, Release } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { type Extent, extentsBetween, isRange, type Layout, type LayoutFile, placesOf } from '../core/layout/layout.ts';
import { type Spans, spanDigest } from '../core/layout/spans.ts';
import type { LocalSource } from '../core/sources/local-chunks.ts';
import type { WantedChunk } from '../core/sources/source.ts';

/** A whole model on this machine. */
export interface LocalModel {
  readonly digest: Digest;
  readonly files: Manifest['files'];
}

/** The models on this machine, in which spans are looked for. */
export interface LocalModels {
  /** The likeliest first. Files were not checked since they were registered. */
  list(): AsyncIterable<LocalModel>;
  /** The bytes at an offset of a model's files laid end to end; undefined when they can no longer be read. */
  read(model: Digest, offset: number, into: Uint8Array): Promise<Uint8Array | undefined>;
}

/** How many models are looked at: their manifests are read, and those that have files of the same names are compared. */
const MAX_MODELS = 256;
/** Spans of a model that are compared first, spread over all. If none of them is in the other model, it is passed over. */
const PROBES = 32;
const READ_BYTES = 1024 * 1024;

/** The models of a registry. Earlier versions of the same model come first, then the newest. */
export function localModels(registry: Registry, entry: ModelEntry | undefined): LocalModels {
  return {
    async *list() {
      const all: RegistryEntry[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await registry.list({ filters: {}, sort: 'date', limit: 200, cursor });
        all.push(...page.models);
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      const rank = (one: RegistryEntry): number => Number(!sharesName(one.releases, entry?.releases));
      const time = (one: RegistryEntry): string => one.downloadedAt ?? one.importedAt ?? '';
      all.sort((a, b) => rank(a) - rank(b) || time(b).localeCompare(time(a)));
      for (const { digest } of all.slice(0, MAX_MODELS)) {
        const manifest = digest === undefined ? undefined : await registry.manifest(digest).catch(() => undefined);
        if (digest !== undefined && manifest !== undefined) yield { digest, files: manifest.files };
      }
    },
    read: (model, offset, into) => registry.readLocatedChunk(model, { model, offset, size: into.length }, into),
  };
}

function sharesName(a: readonly Release[] = [], b: readonly Release[] = []): boolean {
  return a.some((one) => b.some(({ group, model }) => one.group === group && one.model === model));
}

/** Where a span's bytes are in a model on this machine. */
interface FoundSpan {
  readonly model: Digest;
  /** In order: where each part begins in the span, and in the model's files. */
  readonly parts: readonly { readonly at: number; readonly offset: number; readonly length: number }[];
}

/**
 * Finds the missing spans that models on this machine have in files of the same path or hash, however those are cut. Each is read and
 * compared with its digest, so what is found is right.
 */
export async function findLocalSpans(
  layout: Layout,
  present: Uint8Array,
  models: LocalModels,
  signal: AbortSignal | undefined,
): Promise<LocalSource | undefined> {
  const { spans } = layout;
  if (spans?.ofRange === undefined) return undefined;
  const missing = missingRanges(layout, spans.ofRange, present);
  const found = new Map<number, FoundSpan>();
  for await (const model of models.list()) {
    const left = [...missing.keys()].filter((span) => !found.has(span));
    if (left.length === 0) break;
    await searchModel({ layout, spans, models, found, signal }, model, left);
  }
  if (found.size === 0) return undefined;
  const chunks = [...found.keys()].flatMap((span) => missing.get(span) ?? []);
  return { source: sourceOf(layout, spans, models, found), chunks };
}

function missingRanges(layout: Layout, ofRange: Uint32Array, present: Uint8Array): Map<number, number[]> {
  const missing = new Map<number, number[]>();
  for (const [id, there] of present.entries()) {
    const span = ofRange[id];
    if (there === 1 || span === undefined || !isRange(layout, id)) continue;
    missing.set(span, [...(missing.get(span) ?? []), id]);
  }
  return missing;
}

interface Search {
  readonly layout: Layout;
  readonly spans: Spans;
  readonly models: LocalModels;
  readonly found: Map<number, FoundSpan>;
  readonly signal: AbortSignal | undefined;
}

async function searchModel(
  { layout, spans, models, found, signal }: Search,
  model: LocalModel,
  wanted: readonly number[],
) {
  const files = filesOf(model);
  const candidates = wanted.flatMap((span) => {
    const parts = partsOf(layout, spans, span, files);
    return parts === undefined ? [] : [{ span, place: { model: model.digest, parts } }];
  });
  const step = Math.max(1, Math.floor(candidates.length / PROBES));
  const probes = candidates.filter((_, i) => i % step === 0);
  const rest = candidates.filter((_, i) => i % step !== 0);
  for (const some of [probes, rest]) {
    for (const { span, place } of some) {
      signal?.throwIfAborted();
      if (await isThere(models, place, spanDigest(spans, span))) found.set(span, place);
    }
    if (!probes.some(({ span }) => found.has(span))) return;
  }
}

interface FileThere {
  readonly offset: number;
  readonly size: number;
}

/** A model's files by their paths and by their hashes. */
function filesOf({ files }: LocalModel): ReadonlyMap<string, FileThere> {
  const known = new Map<string, FileThere>();
  let offset = 0;
  for (const { path, size, sha256 } of files) {
    known.set(path, { offset, size });
    known.set(sha256, { offset, size });
    offset += size;
  }
  return known;
}

function partsOf(
  layout: Layout,
  { offsets }: Spans,
  span: number,
  files: ReadonlyMap<string, FileThere>,
): FoundSpan['parts'] | undefined {
  const parts = [];
  for (const extent of extentsBetween(layout, offsets[span] ?? 0, offsets[span + 1] ?? 0)) {
    const offset = placeIn(layout, extent, files);
    if (offset === undefined) return undefined;
    parts.push({ at: extent.chunkOffset, offset, length: extent.length });
  }
  return parts;
}

function placeIn(layout: Layout, { file, fileOffset, length }: Extent, files: ReadonlyMap<string, FileThere>) {
  const { path, sha256 } = layout.files[file] as LayoutFile;
  const there = (sha256 === undefined ? undefined : files.get(sha256)) ?? files.get(path);
  return there === undefined || there.size < fileOffset + length ? undefined : there.offset + fileOffset;
}

async function isThere(models: LocalModels, { model, parts }: FoundSpan, digest: Uint8Array): Promise<boolean> {
  const hash = createHash('sha256');
  const scratch = new Uint8Array(READ_BYTES);
  for (const { offset, length } of parts) {
    for (let done = 0; done < length; done += READ_BYTES) {
      const into = scratch.subarray(0, Math.min(READ_BYTES, length - done));
      const bytes = await models.read(model, offset + done, into);
      if (bytes === undefined || bytes.length !== into.length) return false;
      hash.update(bytes);
    }
  }
  return hash.digest().equals(digest);
}

/** Gives the ranges of the spans that were found. What changed since is found out by the span, like any other source's bytes. */
function sourceOf(
  layout: Layout,
  spans: Spans,
  models: LocalModels,
  found: ReadonlyMap<number, FoundSpan>,
): LocalSource['source'] {
  return {
    name: 'models on this machine',
    isLocal: true,
    isLimited: false,
    async fetch(chunks, { signal, onPiece }) {
      for (const chunk of chunks) {
        for (const { at, model, offset, length } of readsOf(layout, spans, chunk, found)) {
          signal.throwIfAborted();
          const bytes = await models.read(model, offset, new Uint8Array(length));
          if (bytes?.length === length) onPiece(chunk.index, at, bytes, true);
        }
      }
    },
  };
}

/** Where the bytes of a range are: `at` counts within the range. */
function readsOf(layout: Layout, spans: Spans, { index, size }: WantedChunk, found: ReadonlyMap<number, FoundSpan>) {
  const span = spans.ofRange?.[index] ?? 0;
  const { model, parts } = found.get(span) as FoundSpan;
  const start = (layout.offsetAt[placesOf(layout, index)[0] ?? 0] ?? 0) - (spans.offsets[span] ?? 0);
  return parts.flatMap(({ at, offset, length }) => {
    const from = Math.max(start, at);
    const to = Math.min(start + size, at + length);
    return to <= from ? [] : [{ at: from - start, model, offset: offset + from - at, length: to - from }];
  });
}
