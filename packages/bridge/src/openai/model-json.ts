import type { BridgeModel, ModelFile } from '../types.ts';

/** A model in OpenAI's shape (`id`, `object`, `created`, `owned_by`), with our fields behind. */
export function modelJson(model: BridgeModel, origin: string, main?: ModelFile) {
  const { alias, id, name, digest, type, format, sizeBytes, source, sourceRef, version } = model;
  const { capabilities, baseModel, tags, license, isHere } = model;
  return {
    id: alias ?? id,
    object: 'model',
    created: Math.floor((Date.parse(model.date ?? '') || 0) / 1000),
    owned_by: model.hub?.repo.split('/')[0] ?? model.releases[0]?.group ?? 'model-rtc',
    model_id: id,
    ...{ alias, name, digest, type, format, version, capabilities, base_model: baseModel, tags, license },
    ...{ size_bytes: sizeBytes, source, source_ref: sourceRef, is_local: isHere },
    ...(main === undefined ? {} : { main_file: main.path, sha256: main.sha256 }),
    download_url: downloadUrl(model, origin),
  };
}

export function fileJson(model: BridgeModel, { path, size, sha256 }: ModelFile, origin: string) {
  return {
    path,
    size_bytes: size,
    sha256,
    download_url: `${downloadUrl(model, origin)}?file=${encodeURIComponent(path)}`,
  };
}

/** By the id, since an alias may move to another model between two requests; by the digest where others chose the id. */
function downloadUrl({ id, digest, isHere }: BridgeModel, origin: string): string {
  return `${origin}/v1/models/download/${encodeURIComponent(isHere ? id : digest)}`;
}
