import { announcedFormat, announcedSource } from '@model-rtc/mesh';
import { type Digest, isDigest } from '@model-rtc/protocol';
import { modelDate, type RegistryEntry } from '@model-rtc/registry';
import type { BridgeModel, ModelFile, RemoteModel } from '../types.ts';

/** A model of this machine; undefined while it is training and has no digest. */
export function fromEntry(entry: RegistryEntry): BridgeModel | undefined {
  const { digest, hub } = entry;
  if (digest === undefined) return undefined;
  return {
    digest,
    id: entry.id,
    alias: entry.alias,
    name: entry.name,
    type: entry.modelType,
    format: announcedFormat(entry),
    sizeBytes: entry.size,
    source: entry.source,
    sourceRef: announcedSource(entry),
    hub,
    releases: entry.releases ?? [],
    version: entry.releases?.at(-1)?.version ?? hub?.commit,
    capabilities: [],
    baseModel: entry.lineage?.fineTunedFrom,
    tags: entry.tags,
    license: entry.license,
    date: modelDate(entry),
    mainFile: entry.checkpointPath,
    isHere: true,
  };
}

/** A model of other machines. What they say of it is text to show; only its digest counts. */
export function fromRemote(model: RemoteModel): BridgeModel | undefined {
  if (!isDigest(model.digest)) return undefined;
  const { digest, modelId, holders: _, ...rest } = model;
  return { ...rest, digest, id: modelId, hub: hubOf(model), releases: releasesOf(model), isHere: false };
}

/** Source: `hubOriginSchema` of the protocol, whose names these are. */
const HUB_REF = /^hf:((?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}\/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,95})@([0-9a-f]{40})$/;

function hubOf({ sourceRef = '' }: RemoteModel): BridgeModel['hub'] {
  const [, repo, commit] = HUB_REF.exec(sourceRef) ?? [];
  return repo === undefined || commit === undefined ? undefined : { repo, commit };
}

function releasesOf({ source, name = '' }: RemoteModel): BridgeModel['releases'] {
  const [, group, model, version] = /^([^/@]{1,128})\/([^/@]{1,128})@([^/@]{1,128})$/.exec(name) ?? [];
  if (source !== 'static-registry' || group === undefined || model === undefined || version === undefined) return [];
  return [{ group, model, version }];
}

/** The file that is meant when only the model is named: the one that tools load, or the only one. */
export function mainFile({ mainFile: path, format }: BridgeModel, files: readonly ModelFile[]): ModelFile | undefined {
  const named = files.find((file) => file.path === path);
  if (named !== undefined || files.length === 1) return named ?? files[0];
  const weights = files.filter((file) => /\.gguf$/i.test(file.path));
  return format !== undefined || weights.length !== 1 ? undefined : weights[0];
}

/** What stands for a commit where a model comes from no repository: the start of its digest. */
export function commitOf({ hub, digest }: { readonly hub?: BridgeModel['hub']; readonly digest: Digest }): string {
  return hub?.commit ?? digest.slice(0, 40);
}
