import { join } from 'node:path';
import type { Log } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_MEMBERS } from '../../core/limits.ts';
import { JsonFile } from './json-file.ts';

const decisionSchema = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** The node's name at that time. */
  name: z.string().max(256),
  at: z.iso.datetime(),
  /** Who decided, and how: `mesh consent`, `--consent`. */
  by: z.string().max(256),
});
const consentsFileSchema = z.object({
  /** Nodes from which models may be fetched. */
  consents: z.array(decisionSchema),
  /** Nodes about which the owner was asked and said no. Nobody is asked about them again while others will do. */
  declined: z.array(decisionSchema),
});
export type ConsentDecision = z.infer<typeof decisionSchema>;
export type ConsentsFile = z.infer<typeof consentsFileSchema>;

/** Which nodes of a mesh the owner of this machine agreed to fetch models from, in the mesh's folder. A damaged file is no consent. */
export function consentsFile(folder: string, log?: Log): JsonFile<ConsentsFile> {
  const empty = { consents: [], declined: [] };
  return new JsonFile({ path: join(folder, 'consents.json'), schema: consentsFileSchema, empty, log });
}

/** The decisions with these in place of earlier ones about the same nodes; the oldest go first where there are too many. */
export function withDecisions(
  { consents, declined }: ConsentsFile,
  made: { readonly consents?: readonly ConsentDecision[]; readonly declined?: readonly ConsentDecision[] },
): ConsentsFile {
  const decided = new Set([...(made.consents ?? []), ...(made.declined ?? [])].map(({ key }) => key));
  const others = (all: readonly ConsentDecision[]) => all.filter(({ key }) => !decided.has(key));
  return {
    consents: [...others(consents), ...(made.consents ?? [])].slice(-MAX_MEMBERS),
    declined: [...others(declined), ...(made.declined ?? [])].slice(-MAX_MEMBERS),
  };
}

/** The decisions without any about these nodes. */
export function withoutDecisions({ consents, declined }: ConsentsFile, keys: ReadonlySet<string>): ConsentsFile {
  const others = (all: readonly ConsentDecision[]) => all.filter(({ key }) => !keys.has(key));
  return { consents: others(consents), declined: others(declined) };
}
