import { parseBoundedJson } from '../bytes/bounded-json.ts';
import { StructureError } from '../bytes/structure-error.ts';

/** Real ones take 1 kB. */
export const MAX_OLLAMA_MANIFEST_BYTES = 256 * 1024;
const JSON_LIMITS = { maxNesting: 16, maxContainers: 4096 };
/** A model has some five; one of several hundred tensors in layers of their own cannot be read by other tools. */
const MAX_LAYERS = 64;

const MEDIA_TYPE = /^application\/vnd\.ollama\.image\.([a-z][a-z0-9-]{0,31})$/;
const DIGEST = /^sha256[:-]([0-9a-f]{64})$/;
/** Other tools tell weights by their ending, and a projector by the start of its name. */
const WEIGHTS_NAMES: Readonly<Record<string, string>> = {
  model: 'model.gguf',
  projector: 'mmproj.gguf',
  adapter: 'adapter.gguf',
};

/** A part of a model in ollama's store. */
export interface OllamaLayer {
  /** `model`, `projector`, `adapter`, `template`, `params`, `license`, ... */
  readonly kind: string;
  /** Its name in the model: `model.gguf`, `license`, `license-2`. */
  readonly path: string;
  /** Of its blob; hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/**
 * The parts of a model that a manifest of ollama's store names.
 * Source: https://github.com/ollama/ollama (server/manifest.go, server/layer.go)
 * @throws StructureError with the problem as the end of a sentence
 */
export function readOllamaManifest(bytes: Uint8Array): readonly OllamaLayer[] {
  if (bytes.length > MAX_OLLAMA_MANIFEST_BYTES) throw new StructureError('it is too long for a manifest');
  const manifest = parse(bytes);
  const layers = isRecord(manifest) ? manifest.layers : undefined;
  if (!Array.isArray(layers)) throw new StructureError('it names no layers');
  if (layers.length > MAX_LAYERS) throw new StructureError(`it has more than ${MAX_LAYERS} layers`);
  const counts = new Map<string, number>();
  const read = layers.map((layer: unknown) => toLayer(layer, counts));
  if (!read.some(({ kind }) => kind === 'model')) throw new StructureError('it has no layer with a model');
  return read;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return parseBoundedJson(bytes, JSON_LIMITS);
  } catch (cause) {
    throw new StructureError('it is not JSON of this kind', { cause });
  }
}

function toLayer(layer: unknown, counts: Map<string, number>): OllamaLayer {
  if (!isRecord(layer)) throw new StructureError('a layer is not an object');
  const { mediaType, digest, size } = layer;
  const kind = typeof mediaType === 'string' ? MEDIA_TYPE.exec(mediaType)?.[1] : undefined;
  if (kind === undefined) throw new StructureError('a layer is of an unknown media type');
  if (kind === 'tensor')
    throw new StructureError('its tensors are layers of their own, and only GGUF files can be read');
  const sha256 = typeof digest === 'string' ? DIGEST.exec(digest)?.[1] : undefined;
  if (sha256 === undefined) throw new StructureError(`the digest of its ${kind} is not a SHA-256`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new StructureError(`the size of its ${kind} is not a number of bytes`);
  }
  const count = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, count);
  return { kind, path: pathOf(kind, count), sha256, size };
}

function pathOf(kind: string, count: number): string {
  const name = WEIGHTS_NAMES[kind] ?? kind;
  return count === 1 ? name : name.replace(/(\.gguf)?$/, `-${count}$1`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
