import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, ignoreMissing, writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { removeLeft, type SourceFile } from './place-file.ts';
import type { PlacedModel, Placing } from './placing.ts';

const LAYER = 'application/vnd.ollama.image.';
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';
const DEFAULT_HOST = 'registry.ollama.ai';
const DEFAULT_NAMESPACE = 'library';
const DEFAULT_TAG = 'latest';
/** One part of `HOST/NAMESPACE/MODEL:TAG`. */
const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;

/** What the files beside the weights are called in a model of ollama that came here, and the kind of layer that each is. */
const TEXT_LAYERS: readonly (readonly [RegExp, string])[] = [
  [/^template$/i, 'template'],
  [/^params$/i, 'params'],
  [/^system$/i, 'system'],
  [/^messages$/i, 'messages'],
  [/^license(-\d+|\.txt|\.md)?$/i, 'license'],
];

/** As tools name them: `mmproj-model-f16.gguf`, `Qwen2-VL.mmproj.gguf`. */
const PROJECTOR = /(^|[/._-])mmproj/i;
/** As an adapter is called that came from ollama. A name with "lora" in it may be that of a merged model. */
const ADAPTER = /^adapter(-\d+)?\.gguf$/i;

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * Puts a GGUF model into ollama's store: each file as a blob, and last the manifest, by which ollama finds it.
 * Source: https://github.com/ollama/ollama/blob/main/docs/import.md, and the manifests that ollama writes
 */
export async function placeInOllama(placing: Placing): Promise<PlacedModel> {
  const { folder, name, files, overwrite, place } = placing;
  const layers = chooseLayers(files);
  const path = join(folder, 'manifests', ...manifestPath(name));
  const config = configOf(placing.type, [...layers.values()]);
  const configBytes = Buffer.from(JSON.stringify(config));
  const configDigest = createHash('sha256').update(configBytes).digest('hex');
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: `sha256:${configDigest}`, size: configBytes.length },
    layers: [...layers.values()],
  });
  const present = await atStorage(path, 'read', () => ignoreMissing(readFile(path, 'utf8')));
  const isNew = present === undefined || !hasSameLayers(present, [...layers.values()]);
  if (present !== undefined && isNew && !overwrite) {
    const sentence = `ollama has another model called ${name}. Choose another name with --name, or replace it with --force.`;
    throw new ModelRtcError('refused', sentence, { details: { path } });
  }
  await removeLeft(join(folder, 'blobs'));
  for (const file of layers.keys()) await place(file, blobPath(folder, file.sha256));
  if (isNew) {
    await writeFileAtomic(blobPath(folder, configDigest), configBytes);
    await atStorage(path, 'created', () => mkdir(dirname(path), { recursive: true }));
    await writeFileAtomic(path, manifest);
  }
  const leftOut = files.filter((file) => !layers.has(file)).map((file) => file.path);
  return { path, leftOut, isNew };
}

/** The name with its tag. @throws ModelRtcError `bad_argument` */
export function ollamaName(name: string): string {
  const [model = '', tag = DEFAULT_TAG, ...rest] = name.split(':');
  const parts = model.split('/');
  const isValid = rest.length === 0 && parts.length <= 3 && [...parts, tag].every((part) => PART.test(part));
  if (isValid) return `${model}:${tag}`;
  throw new ModelRtcError(
    'bad_argument',
    `"${name}" cannot be a name in ollama. Pass one such as mouse:1b with --name.`,
  );
}

/** `registry.ollama.ai/library/mouse/1b` for `mouse:1b`. */
function manifestPath(name: string): string[] {
  const [model = '', tag = ''] = name.split(':');
  const parts = model.split('/');
  const [host, namespace] = [DEFAULT_HOST, DEFAULT_NAMESPACE];
  if (parts.length === 3) return [...parts, tag];
  return parts.length === 2 ? [host, ...parts, tag] : [host, namespace, ...parts, tag];
}

function blobPath(folder: string, sha256: string): string {
  return join(folder, 'blobs', `sha256-${sha256}`);
}

/**
 * The files that ollama has a layer for; the weights come first, as in its own manifests.
 * @throws ModelRtcError `refused` for a model that ollama does not run
 */
function chooseLayers(files: readonly SourceFile[]): Map<SourceFile, Layer> {
  const ggufs = files.filter(({ path }) => /\.gguf$/i.test(path));
  const projectors = ggufs.filter(({ path }) => PROJECTOR.test(path));
  const adapters = ggufs.filter(({ path }) => ADAPTER.test(path));
  const weights = ggufs.filter((file) => !projectors.includes(file) && !adapters.includes(file));
  const [only] = weights;
  if (only === undefined) throw new ModelRtcError('refused', 'ollama runs GGUF files, and this model has none.');
  if (weights.length > 1) {
    const sentence = `ollama takes one GGUF file as a model, and this one has ${weights.length}. Join its parts first: llama-gguf-split --merge.`;
    throw new ModelRtcError('refused', sentence);
  }
  const texts = TEXT_LAYERS.flatMap(([pattern, kind]) =>
    files.filter(({ path }) => pattern.test(path)).map((file) => [file, kind] as const),
  );
  const all = [
    [only, 'model'] as const,
    ...projectors.map((file) => [file, 'projector'] as const),
    ...adapters.map((file) => [file, 'adapter'] as const),
    ...texts,
  ];
  return new Map(all.map(([file, kind]) => [file, layerOf(file, kind)]));
}

function layerOf({ sha256, size }: SourceFile, kind: string): Layer {
  return { mediaType: `${LAYER}${kind}`, digest: `sha256:${sha256}`, size };
}

/** What `ollama list` and `show` print; the weights say the rest themselves. */
function configOf(type: string, layers: readonly Layer[]) {
  return {
    model_format: 'gguf',
    model_family: type,
    model_families: [type],
    model_type: '',
    file_type: '',
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
}

/** Whether a manifest that is there names the same layers, whoever wrote it. */
function hasSameLayers(text: string, layers: readonly Layer[]): boolean {
  try {
    const parsed = JSON.parse(text) as { readonly layers?: readonly Partial<Layer>[] };
    const key = ({ mediaType, digest }: Partial<Layer>): string => `${mediaType} ${digest}`;
    const [there, wanted] = [(parsed.layers ?? []).map(key).sort(), layers.map(key).sort()];
    return JSON.stringify(there) === JSON.stringify(wanted);
  } catch {
    return false;
  }
}
