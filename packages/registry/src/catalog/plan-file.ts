import { plannedModelSchema } from '@model-rtc/protocol';
import * as z from 'zod';
import { type Migration, migratedFile } from '../store/versioned-file.ts';
import type { StoredPlan } from './types.ts';

/** The version of catalog.json that this code writes. */
const PLANS_VERSION = 1;

/** More than any machine plans to have; a session's holder must not fill the disk. */
export const MAX_PLANS = 10_000;

/** As many plans as that take less than half of it. We never write a longer file. */
export const MAX_PLANS_BYTES = 32 * 1024 * 1024;

const storedPlanSchema = plannedModelSchema.extend({
  registeredAt: z.iso.datetime(),
  bySession: z.literal(true).optional(),
});

const plansFileSchema = z.object({
  version: z.literal(PLANS_VERSION),
  planned: z.array(storedPlanSchema).max(MAX_PLANS),
});

/** By the version that each starts from. Version 1 is the first. */
const MIGRATIONS: ReadonlyMap<number, Migration> = new Map();

/** By id, in the order of ids. */
export type Plans = ReadonlyMap<string, StoredPlan>;

export function encodePlans(plans: Plans): string {
  return `${JSON.stringify({ version: PLANS_VERSION, planned: [...plans.values()] }, undefined, 2)}\n`;
}

/**
 * @param path named in errors
 * @throws ModelRtcError `refused` when a newer version wrote it; any other error when it is damaged
 */
export function decodePlans(text: string, path: string, migrations = MIGRATIONS): Plans {
  const { file } = migratedFile(text, path, PLANS_VERSION, migrations);
  const { planned } = plansFileSchema.parse(file);
  const plans = sortedPlans(planned.map((plan) => [plan.id, plan]));
  if (plans.size < planned.length) throw new Error('two planned models have one id');
  return plans;
}

export function sortedPlans(plans: Iterable<readonly [string, StoredPlan]>): Plans {
  return new Map([...plans].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
