import { CATALOG_TTL_MS, type MeshModel } from '@model-rtc/mesh';
import { sendJson } from '../http/json.ts';
import { notFound, requireMethod } from '../http/problems.ts';
import { numberParameter } from '../http/target.ts';
import type { Api, Asked } from '../http/types.ts';
import { LIST_AGE_MS, MAX_LISTED } from '../limits.ts';
import { aged } from '../models/aged.ts';
import type { OwnNode, RemoteModel, RemoteModels, RemoteNode } from '../types.ts';

export interface CatalogApiOptions {
  /** What this machine announces, or would. */
  readonly own: () => Promise<readonly MeshModel[]>;
  readonly self: OwnNode | undefined;
  readonly remote: RemoteModels | undefined;
  /** Milliseconds that only grow. */
  readonly nowMs: () => number;
}

/** `/v1/catalog`: what this machine knows of the mesh, in the words of its catalogs: nodes, and models with those who have them. */
export function createCatalogApi(options: CatalogApiOptions): Api {
  const known = aged(() => readKnown(options), LIST_AGE_MS, options.nowMs);
  return {
    name: 'catalog',
    async answer(asked) {
      requireMethod(asked.method, ['GET', 'HEAD']);
      if (asked.path.length > 2) throw notFound('Nothing is here. See /v1/catalog.');
      answerCatalog(asked, await known(), options.self);
    },
    describe: ({ message, code }) => ({ body: { error: { message, code } } }),
  };
}

function answerCatalog(asked: Asked, { nodes, models }: Known, self: OwnNode | undefined): void {
  const limit = numberParameter(asked.query, 'limit', MAX_LISTED);
  const after = asked.query.get('after') ?? '';
  const rest = models.filter(({ digest }) => digest > after);
  const page = rest.slice(0, limit);
  sendJson(asked, 200, {
    object: 'model_catalog',
    ...{
      node_id: self?.id ?? self?.key,
      node_key: self?.key,
      node_name: nodes.find(({ isSelf }) => isSelf)?.name ?? self?.name,
    },
    ...{ timestamp: new Date().toISOString(), ttl: CATALOG_TTL_MS / 1000 },
    transfer_endpoints: {
      ...{ models: `${asked.origin}/v1/models`, download: `${asked.origin}/v1/models/download/` },
      ...{ hugging_face: `${asked.origin}/hf`, oci: `${asked.origin}/v2/` },
    },
    nodes: nodes.map(nodeJson),
    models: page.map((model) => modelJson(model, asked.origin)),
    ...{ has_more: page.length < rest.length, last_digest: page.at(-1)?.digest ?? null },
  });
}

type KnownModel = RemoteModel & { readonly isHere: boolean };

interface Known {
  readonly nodes: readonly RemoteNode[];
  /** By digest. */
  readonly models: readonly KnownModel[];
}

async function readKnown({ own, self, remote }: CatalogApiOptions): Promise<Known> {
  const known = new Map<string, KnownModel>();
  for (const model of (await remote?.list()) ?? []) known.set(model.digest, { ...model, isHere: false });
  for (const model of await own()) {
    // Its catalog may not have reached this list yet, or tell of a model that is gone.
    const others = (known.get(model.digest)?.holders ?? []).filter(({ key }) => key !== self?.key);
    const holders = [...(self === undefined ? [] : [{ key: self.key, isWhole: true }]), ...others];
    known.set(model.digest, { ...model, holders, isHere: true });
  }
  return { nodes: (await remote?.nodes()) ?? [], models: [...known.values()].sort(byDigest) };
}

function byDigest(a: KnownModel, b: KnownModel): number {
  return a.digest < b.digest ? -1 : Number(a.digest > b.digest);
}

function nodeJson(node: RemoteNode) {
  const { node_id } = node.properties;
  return {
    node_id: typeof node_id === 'string' ? node_id : node.key,
    ...{ node_key: node.key, node_name: node.name, mesh: node.mesh, role: node.role },
    ...{ is_self: node.isSelf, is_present: node.isPresent, is_trusted: node.isTrusted, reached_by: node.reachedBy },
    ...{ tags: node.tags, properties: node.properties, model_count: node.modelCount },
    transfer_endpoints: { signaling: node.urls, bridge: node.bridgeUrl },
    ...{ timestamp: node.heardAt?.toISOString(), ttl: CATALOG_TTL_MS / 1000 },
  };
}

function modelJson(model: KnownModel, origin: string) {
  const { modelId, digest, alias, name, type, format, sizeBytes, sha256, version, capabilities } = model;
  return {
    ...{ model_id: modelId, name, alias, type, format, size_bytes: sizeBytes, sha256, digest, version, capabilities },
    ...{ base_model: model.baseModel, source: model.source, source_ref: model.sourceRef },
    ...{ tags: model.tags, license: model.license, is_local: model.isHere },
    holders: (model.holders ?? []).map(({ key, isWhole }) => ({ node_key: key, is_whole: isWhole })),
    download_url: `${origin}/v1/models/download/${digest}`,
  };
}
