import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import type { Plans } from './plan-file.ts';
import type { StoredPlan } from './types.ts';

/** An item before anything is looked up on the disk. */
export interface CatalogRow {
  readonly id: string;
  readonly plan?: StoredPlan | undefined;
  readonly stored?: StoredEntry | undefined;
}

/**
 * Everything here and everything planned, each once, in the order of ids. A model that came for a plan is listed under the plan's id, any
 * other under its own.
 */
export function catalogRows({ byId, byDigest }: RegistryIndex, plans: Plans): readonly CatalogRow[] {
  const cameFor = new Map<StoredEntry, StoredPlan>();
  const modelOf = new Map<StoredPlan, StoredEntry>();
  const pair = (plan: StoredPlan, stored: StoredEntry | undefined): void => {
    if (stored === undefined || cameFor.has(stored)) return;
    cameFor.set(stored, plan);
    modelOf.set(plan, stored);
  };
  // What was noted at a fetch comes before what merely fits.
  for (const plan of plans.values()) if (plan.digest !== undefined) pair(plan, byDigest.get(plan.digest));
  const unclaimed = [...byId.values()].filter((stored) => stored.hub !== undefined && !cameFor.has(stored));
  for (const plan of plans.values()) {
    if (!modelOf.has(plan) && plan.repo !== undefined) pair(plan, newest(unclaimed.filter((one) => isOf(plan, one))));
  }
  const planned = [...plans.values()].map((plan): CatalogRow => ({ id: plan.id, plan, stored: modelOf.get(plan) }));
  const others = [...byId.values()].filter((stored) => !cameFor.has(stored));
  const own = others.map(
    (stored): CatalogRow => ({ id: plans.has(stored.id) ? `local:${stored.id}` : stored.id, stored }),
  );
  return [...planned, ...own].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether a model is what a plan names on a hub. */
function isOf({ repo, revision }: StoredPlan, { hub }: StoredEntry): boolean {
  if (hub === undefined || hub.repo.toLowerCase() !== repo?.toLowerCase()) return false;
  return revision === undefined || hub.revision === revision || hub.commit === revision;
}

function newest(models: readonly StoredEntry[]): StoredEntry | undefined {
  const timeOf = ({ downloadedAt, importedAt }: StoredEntry): string => downloadedAt ?? importedAt ?? '';
  return models.reduce<StoredEntry | undefined>(
    (best, one) => (best === undefined || timeOf(one) > timeOf(best) ? one : best),
    undefined,
  );
}
