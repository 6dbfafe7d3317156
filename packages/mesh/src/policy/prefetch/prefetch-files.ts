import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_PREFETCH_DONE, MAX_PREFETCH_RULES, MAX_PREFETCH_WAITING } from '../../core/limits.ts';
import { JsonFile } from '../../node/state/json-file.ts';
import { joinedMesh } from '../../node/state/mesh-folders.ts';
import { type PrefetchRule, ruleSchema } from './rule.ts';

const rulesSchema = z.strictObject({ rules: z.array(ruleSchema).max(MAX_PREFETCH_RULES) });

const modelSchema = z.object({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().max(256),
  at: z.iso.datetime(),
});
/** `gave_up`: it failed too often. None of them is begun again by the rule. */
const doneSchema = modelSchema.extend({
  outcome: z.enum(['fetched', 'cancelled', 'refused', 'gave_up']),
  why: z.string().max(512).optional(),
});
const waitingSchema = modelSchema.extend({
  code: z.string().max(64),
  why: z.string().max(512),
  tries: z.number().int().min(1),
  notBefore: z.iso.datetime(),
});
const progressSchema = z.object({
  done: z.array(doneSchema).max(MAX_PREFETCH_DONE),
  waiting: z.array(waitingSchema).max(MAX_PREFETCH_WAITING),
  /** The model that is being fetched. */
  fetching: modelSchema.optional(),
  /** What keeps the rule from fetching anything, or nothing. */
  waits: z.string().max(512).optional(),
});
const stateSchema = z.object({ rules: z.record(z.string(), progressSchema) });

export type DoneModel = z.infer<typeof doneSchema>;
export type WaitingModel = z.infer<typeof waitingSchema>;
/** What a rule did and what it waits for. */
export type RuleProgress = z.infer<typeof progressSchema>;
export type PrefetchState = z.infer<typeof stateSchema>;

export const NO_PROGRESS: RuleProgress = { done: [], waiting: [] };

/** The rules of a mesh, which people may edit, and beside them what came of each. */
export interface PrefetchFiles {
  readonly rules: JsonFile<{ readonly rules: readonly PrefetchRule[] }>;
  readonly state: JsonFile<PrefetchState>;
}

/** @param folder - the mesh's */
export function prefetchFiles(folder: string, log?: Log): PrefetchFiles {
  return {
    rules: new JsonFile({ path: join(folder, 'prefetch.json'), schema: rulesSchema, empty: { rules: [] }, log }),
    state: new JsonFile({ path: join(folder, 'prefetch-state.json'), schema: stateSchema, empty: { rules: {} }, log }),
  };
}

export interface RuleOptions {
  /** The data folder. */
  readonly root: string;
  /** The mesh's name; the only one when left out. */
  readonly mesh: string | undefined;
  readonly log?: Log | undefined;
}

/** A rule with what came of it. */
export interface ListedRule {
  readonly mesh: string;
  readonly rule: PrefetchRule;
  readonly progress: RuleProgress;
}

/** @throws ModelRtcError `not_found_locally`, `ambiguous`, `storage` */
export async function prefetchRules({ root, mesh: name, log }: RuleOptions): Promise<readonly ListedRule[]> {
  const { mesh, folder } = await joinedMesh(root, name, log);
  const files = prefetchFiles(folder, log);
  const [{ rules }, state] = [await files.rules.read(), await files.state.read()];
  return rules.map((rule) => ({ mesh: mesh.name, rule, progress: state.rules[rule.id] ?? NO_PROGRESS }));
}

/** @throws ModelRtcError `bad_argument` when there are too many, or the same one is there; `not_found_locally`, `storage` */
export async function addPrefetchRule(
  { root, mesh: name, log }: RuleOptions,
  wanted: Omit<PrefetchRule, 'id' | 'addedAt'>,
): Promise<{ readonly mesh: string; readonly rule: PrefetchRule }> {
  const { mesh, folder } = await joinedMesh(root, name, log);
  let added: PrefetchRule | undefined;
  await prefetchFiles(folder, log).rules.update(({ rules }) => {
    if (rules.length >= MAX_PREFETCH_RULES) throw tooMany(mesh.name);
    const same = rules.find((rule) => fieldsOf(rule) === fieldsOf(wanted));
    if (same !== undefined) throw alreadyThere(same);
    added = ruleSchema.parse({ id: freeId(rules), ...wanted, addedAt: new Date().toISOString() });
    return { rules: [...rules, added] };
  });
  return { mesh: mesh.name, rule: added as PrefetchRule };
}

/** Removes a rule and forgets what it fetched; the models stay. @throws ModelRtcError `not_found_locally`, `ambiguous`, `storage` */
export async function removePrefetchRule({ root, mesh: name, log }: RuleOptions, id: string): Promise<PrefetchRule> {
  const { mesh, folder } = await joinedMesh(root, name, log);
  const files = prefetchFiles(folder, log);
  let removed: PrefetchRule | undefined;
  await files.rules.update(({ rules }) => {
    const found = id === '' ? [] : rules.filter((rule) => rule.id.startsWith(id));
    if (found.length > 1) throw severalRules(id, found);
    [removed] = found;
    if (removed === undefined) throw noRule(id, mesh.name);
    return { rules: rules.filter((rule) => rule !== removed) };
  });
  await files.state.update(({ rules: { [(removed as PrefetchRule).id]: _, ...others } }) => ({ rules: others }));
  return removed as PrefetchRule;
}

function freeId(rules: readonly PrefetchRule[]): string {
  for (;;) {
    const id = randomBytes(2).toString('hex');
    if (!rules.some((rule) => rule.id === id)) return id;
  }
}

/** What tells rules apart. */
function fieldsOf({
  type,
  tag,
  name,
  minBytes,
  maxBytes,
  between,
  days,
}: Omit<PrefetchRule, 'id' | 'addedAt'>): string {
  return JSON.stringify([type, tag, name, minBytes, maxBytes, between, days]);
}

function tooMany(mesh: string): ModelRtcError {
  const sentence = `The mesh ${mesh} has ${MAX_PREFETCH_RULES} prefetch rules already. Remove one: model-rtc mesh prefetch remove RULE.`;
  return new ModelRtcError('bad_argument', sentence);
}

function alreadyThere({ id }: PrefetchRule): ModelRtcError {
  const sentence = `The rule ${id} says the same. Remove it first to change it: model-rtc mesh prefetch remove ${id}.`;
  return new ModelRtcError('bad_argument', sentence, { details: { rule: id } });
}

function severalRules(id: string, found: readonly PrefetchRule[]): ModelRtcError {
  const ids = found.map((rule) => rule.id);
  const sentence = `"${id}" is the start of ${found.length} rules: ${ids.join(', ')}. Type more of the id.`;
  return new ModelRtcError('ambiguous', sentence, { details: { candidates: ids } });
}

function noRule(id: string, mesh: string): ModelRtcError {
  const sentence = `The mesh ${mesh} has no prefetch rule "${id}". See them: model-rtc mesh prefetch list.`;
  return new ModelRtcError('not_found_locally', sentence);
}
