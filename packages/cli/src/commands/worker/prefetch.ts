import type { ModelProgress } from '@model-rtc/client';
import { pullGivers } from '../../console/audited-pull.ts';
import type { Context } from '../../console/context.ts';
import { agentOptions } from '../connect.ts';
import type { BridgeMeshFlags } from './bridge-meshes.ts';
import { JoinedMeshes } from './joined-meshes.ts';

/** Models of the registry that are read at once: the longest page of a list. */
const PAGE = 200;

/** Follows the prefetch rules of the meshes that this worker takes part in, until it is disposed of. */
export async function startPrefetch(context: Context, flags: BridgeMeshFlags): Promise<AsyncDisposable> {
  if (flags.mesh === false) return { [Symbol.asyncDispose]: async () => {} };
  const { prefetchStore, startPrefetching } = await import('@model-rtc/mesh');
  const registry = await context.registry();
  const meshes = new JoinedMeshes(context, flags.mesh);
  const prefetching = startPrefetching({
    ...{ store: prefetchStore(registry.paths.root, context.log), log: context.log, meshes: () => meshes.now() },
    here: () => digestsHere(context),
    async fetch(mesh, digest, { priority, signal, onGivers }) {
      const { connectAll } = await import('@model-rtc/client');
      const { storage, ...agent } = await agentOptions(context, {
        ...flags,
        lane: 'auto',
        where: undefined,
        best: undefined,
      });
      // What nobody asked for yet makes no model go that somebody has.
      const cap = storage === undefined ? undefined : { capBytes: storage.capBytes, mayEvict: false };
      await using nodes = connectAll({ ...agent, storage: cap, sessions: [], meshes: [mesh] });
      const how = { isName: true, aliasConflict: 'keep', safeOnly: flags.safeOnly, kind: 'prefetch' } as const;
      const givers = await pullGivers();
      const onProgress = (progress: ModelProgress): void => onGivers(givers.note(progress));
      const { outcome } = await nodes.pullModel(digest, { ...how, priority, signal, onProgress });
      return outcome === 'pulled' ? 'fetched' : 'already_there';
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      await prefetching[Symbol.asyncDispose]();
      await meshes.close();
    },
  };
}

async function digestsHere(context: Context): Promise<ReadonlySet<string>> {
  const registry = await context.registry();
  const here = new Set<string>();
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await registry.list({ filters: {}, sort: 'date', limit: PAGE, cursor });
    for (const { digest } of page.models) if (digest !== undefined) here.add(digest);
    cursor = page.nextCursor;
  }
  return here;
}
