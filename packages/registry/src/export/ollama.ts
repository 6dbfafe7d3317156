import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, ignoreMissing, writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { type OllamaLayer, ollamaImage } from './ollama-image.ts';
import { removeLeft } from './place-file.ts';
import type { PlacedModel, Placing } from './placing.ts';

const DEFAULT_HOST = 'registry.ollama.ai';
const DEFAULT_NAMESPACE = 'library';
const DEFAULT_TAG = 'latest';
/** One part of `HOST/NAMESPACE/MODEL:TAG`. */
const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;

/**
 * Puts a GGUF model into ollama's store: each file as a blob, and last the manifest, by which ollama finds it.
 * Source: https://github.com/ollama/ollama/blob/main/docs/import.md, and the manifests that ollama writes
 */
export async function placeInOllama(placing: Placing): Promise<PlacedModel> {
  const { folder, name, files, overwrite, place } = placing;
  const { layers, config, configSha256, manifest } = ollamaImage(placing.type, files);
  const path = join(folder, 'manifests', ...manifestPath(name));
  const present = await atStorage(path, 'read', () => ignoreMissing(readFile(path, 'utf8')));
  const isNew = present === undefined || !hasSameLayers(present, [...layers.values()]);
  if (present !== undefined && isNew && !overwrite) {
    const sentence = `ollama has another model called ${name}. Choose another name with --name, or replace it with --force.`;
    throw new ModelRtcError('refused', sentence, { details: { path } });
  }
  await removeLeft(join(folder, 'blobs'));
  for (const file of layers.keys()) await place(file, blobPath(folder, file.sha256));
  if (isNew) {
    await writeFileAtomic(blobPath(folder, configSha256), config);
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

/** Whether a manifest that is there names the same layers, whoever wrote it. */
function hasSameLayers(text: string, layers: readonly OllamaLayer[]): boolean {
  try {
    const parsed = JSON.parse(text) as { readonly layers?: readonly Partial<OllamaLayer>[] };
    const key = ({ mediaType, digest }: Partial<OllamaLayer>): string => `${mediaType} ${digest}`;
    const [there, wanted] = [(parsed.layers ?? []).map(key).sort(), layers.map(key).sort()];
    return JSON.stringify(there) === JSON.stringify(wanted);
  } catch {
    return false;
  }
}
