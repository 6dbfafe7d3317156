import { ModelRtcError, type PlannedModel, plannedModelSchema, schemaProblem } from '@model-rtc/protocol';
import type { CatalogRow } from './catalog-items.ts';
import { MAX_PLANS, type Plans } from './plan-file.ts';
import type { CatalogAsker, StoredPlan } from './types.ts';

/** What the registry may give to a model by itself. */
const REGISTRY_ID = /^(?:[0-9a-f]{8,64}$|local:)/i;

/** What a new model may not be called, or be: each with the id that has it. */
interface Taken {
  readonly ids: Set<string>;
  readonly digests: Map<string, string>;
  readonly repos: Map<string, string>;
}

export function takenIn(rows: readonly CatalogRow[]): Taken {
  const taken: Taken = { ids: new Set(), digests: new Map(), repos: new Map() };
  for (const { id, plan, stored } of rows) addTaken(taken, { ...plan, id, digest: stored?.digest ?? plan?.digest });
  return taken;
}

export function addTaken(
  { ids, digests, repos }: Taken,
  plan: Pick<PlannedModel, 'id' | 'digest' | 'repo' | 'revision'>,
): void {
  ids.add(plan.id);
  if (plan.digest !== undefined) digests.set(plan.digest, plan.id);
  if (plan.repo !== undefined) repos.set(repoKey(plan), plan.id);
}

/** Hubs find a repository in any case. */
function repoKey({ repo = '', revision = '' }: Pick<PlannedModel, 'repo' | 'revision'>): string {
  return `${repo.toLowerCase()}@${revision}`;
}

export function isFree(plan: PlannedModel, taken: Taken): boolean {
  return problemWith(plan, taken) === undefined;
}

/** @throws ModelRtcError `bad_argument` when the id, or what it stands for, is in the catalog already */
export function requireFree(plan: PlannedModel, taken: Taken): void {
  const problem = problemWith(plan, taken);
  if (problem !== undefined) throw new ModelRtcError('bad_argument', problem, { details: { id: plan.id } });
}

function problemWith(plan: PlannedModel, { ids, digests, repos }: Taken): string | undefined {
  const { id, repo, revision, digest } = plan;
  if (REGISTRY_ID.test(id))
    return `"${id}" cannot be registered: this machine gives ids of that form to models by itself. Choose another, such as ORG/NAME.`;
  if (ids.has(id))
    return `"${id}" is in the catalog already. Choose another id, or remove that one first: model-rtc catalog unregister ${id}`;
  const same =
    (digest === undefined ? undefined : digests.get(digest)) ??
    (repo === undefined ? undefined : repos.get(repoKey(plan)));
  if (same === undefined) return undefined;
  const what = repo === undefined ? 'This model' : `${repo}${revision === undefined ? '' : `@${revision}`}`;
  return `${what} is in the catalog already, as "${same}". Use that id, or remove it first: model-rtc catalog unregister ${same}`;
}

/** @throws ModelRtcError `bad_argument` for a name that cannot be one */
export function parsePlan(given: PlannedModel): PlannedModel {
  const parsed = plannedModelSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const field = String(parsed.error.issues[0]?.path[0] ?? 'id');
  const sentence = `The ${field} cannot be used: ${RULES[field] ?? schemaProblem(parsed.error)}`;
  throw new ModelRtcError('bad_argument', sentence, { cause: parsed.error, details: { field } });
}

const RULES: Readonly<Record<string, string>> = {
  id: 'an id has up to 256 letters, digits and _ . : @ + - with / between its parts, such as Qwen/Qwen2.5-0.5B, and begins with a letter or digit.',
  name: 'a name has 1 to 256 characters in one line.',
  architecture: 'an architecture has 1 to 64 characters in one line, such as qwen2.',
  repo: 'a repository is ORG/NAME, such as Qwen/Qwen2.5-0.5B.',
  revision: 'a revision is a branch, a tag or a commit, such as main.',
};

/** @throws ModelRtcError `refused` when there are too many */
export function withPlan(plans: Plans, plan: PlannedModel, by: CatalogAsker, now: Date): Plans {
  if (plans.size >= MAX_PLANS) {
    throw new ModelRtcError(
      'refused',
      `The catalog has ${MAX_PLANS} registered models already. Unregister some first.`,
    );
  }
  const stored: StoredPlan = {
    ...plan,
    registeredAt: now.toISOString(),
    ...(by === 'session' ? { bySession: true } : {}),
  };
  return new Map([...plans, [plan.id, stored]]);
}
