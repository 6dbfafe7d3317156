import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { MeshHolder, MeshModel, MeshModelFilter, MeshModelHolders, MeshNodeInfo } from '../types.ts';

/** One entry for each content, with everyone who has it; sorted by name, then by digest. Catalogs of distrusted nodes do not count. */
export function mergeModels(
  nodes: readonly MeshNodeInfo[],
  modelsOf: (key: string) => readonly MeshModel[],
  { type, source, tag, includeAbsent = false }: MeshModelFilter,
): MeshModelHolders[] {
  const byDigest = new Map<Digest, MeshHolder[]>();
  for (const node of nodes) {
    // This machine's own models are there whether its worker runs or not.
    if (!node.isTrusted || (!node.isPresent && !node.isSelf && !includeAbsent)) continue;
    for (const model of modelsOf(node.key)) {
      const holders = byDigest.get(model.digest) ?? [];
      byDigest.set(model.digest, [...holders, { node, model, isWhole: true }]);
    }
  }
  addFetching(byDigest, nodes);
  const merged = [...byDigest].map(([digest, holders]): MeshModelHolders => {
    const names = new Set(
      holders.flatMap(({ model }) => [model.name, ...(model.alias === undefined ? [] : [model.alias])]),
    );
    return { digest, names: [...names].sort(), model: (holders[0] as MeshHolder).model, holders };
  });
  const fits = ({ model, holders }: MeshModelHolders): boolean =>
    (type === undefined || model.type === type) &&
    (source === undefined || holders.some((holder) => holder.model.source === source)) &&
    (tag === undefined || holders.some((holder) => holder.model.tags.includes(tag)));
  return merged.filter(fits).sort((a, b) => compare(a.names[0] ?? '', b.names[0] ?? '') || compare(a.digest, b.digest));
}

/** A node that still fetches a model serves the parts that it has. */
function addFetching(byDigest: Map<Digest, MeshHolder[]>, nodes: readonly MeshNodeInfo[]): void {
  for (const node of nodes) {
    if (!node.isTrusted || !node.isPresent) continue;
    for (const digest of node.fetching) {
      const holders = byDigest.get(digest);
      const [first] = holders ?? [];
      if (first === undefined || holders?.some((holder) => holder.node.key === node.key)) continue;
      holders?.push({ node, model: first.model, isWhole: false });
    }
  }
}

/**
 * The model that a reference names: an alias or name, an id, or the start of a digest.
 * @throws ModelRtcError `not_found`; `ambiguous` with the digests
 */
export function findModel(models: readonly MeshModelHolders[], ref: string, mesh: string): MeshModelHolders {
  const byName = models.filter(({ names }) => names.includes(ref));
  const byId = models.filter(({ holders }) => holders.some(({ model }) => model.modelId === ref));
  const byDigest = /^[0-9a-f]{6,64}$/.test(ref) ? models.filter(({ digest }) => digest.startsWith(ref)) : [];
  const found = [byName, byId, byDigest].find(({ length }) => length > 0) ?? [];
  const [first, second] = found;
  if (first === undefined)
    throw new ModelRtcError(
      'not_found',
      `Nobody in the mesh ${mesh} has a model "${ref}". List what there is: model-rtc mesh models --all.`,
    );
  if (second === undefined) return first;
  const choices = found.map(
    ({ digest, holders }) => `${digest.slice(0, 12)} (${holders.map(({ node }) => node.name).join(', ')})`,
  );
  throw new ModelRtcError(
    'ambiguous',
    `"${ref}" names ${found.length} different models in the mesh ${mesh}. Pass the digest of one: ${choices.join('; ')}.`,
    {
      details: { digests: found.map(({ digest }) => digest) },
    },
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
