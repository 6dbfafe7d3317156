import { createHash } from 'node:crypto';
import { ModelRtcError } from '@model-rtc/protocol';

const LAYER = 'application/vnd.ollama.image.';
export const OLLAMA_MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';

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

export interface OllamaLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A file of a model, as its manifest names it. */
interface ImageFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** A model as ollama stores it and fetches it from a registry. The same files always give the same bytes. */
export interface OllamaImage<F> {
  /** The files that ollama has a layer for; the weights come first. */
  readonly layers: ReadonlyMap<F, OllamaLayer>;
  /** The bytes of the blob that `config` in the manifest names. */
  readonly config: Buffer;
  readonly configSha256: string;
  /** JSON. */
  readonly manifest: string;
}

/**
 * What ollama's manifest says of a GGUF model.
 * Source: https://github.com/ollama/ollama/blob/main/docs/import.md, and the manifests that ollama writes
 * @param type - the model's type, such as `llama`
 * @throws ModelRtcError `refused` for a model that ollama does not run
 */
export function ollamaImage<F extends ImageFile>(type: string, files: readonly F[]): OllamaImage<F> {
  const layers = chooseLayers(files);
  const config = Buffer.from(JSON.stringify(configOf(type, [...layers.values()])));
  const configSha256 = createHash('sha256').update(config).digest('hex');
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: OLLAMA_MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: `sha256:${configSha256}`, size: config.length },
    layers: [...layers.values()],
  });
  return { layers, config, configSha256, manifest };
}

/**
 * The files that ollama has a layer for; the weights come first, as in its own manifests.
 * @throws ModelRtcError `refused` for a model that ollama does not run
 */
function chooseLayers<F extends ImageFile>(files: readonly F[]): Map<F, OllamaLayer> {
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

function layerOf({ sha256, size }: ImageFile, kind: string): OllamaLayer {
  return { mediaType: `${LAYER}${kind}`, digest: `sha256:${sha256}`, size };
}

/** What `ollama list` and `show` print; the weights say the rest themselves. */
function configOf(type: string, layers: readonly OllamaLayer[]) {
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
