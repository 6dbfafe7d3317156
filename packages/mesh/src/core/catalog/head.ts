import { type Digest, digestSchema, type Identity, isSignalingUrl, ModelRtcError } from '@model-rtc/protocol';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import type { MeshModel, MeshProperty, MeshRole } from '../../types.ts';
import { BEAT_VALUE_BYTES, type BeatPlan } from '../beats/chain.ts';
import {
  CATALOG_TTL_MS,
  MAX_BEATS,
  MAX_BRIDGE_URL_CHARS,
  MAX_FETCHING,
  MAX_NODE_MODELS,
  MAX_NODE_WEIGHT,
  MAX_PARTS,
  MAX_PROPERTIES,
  MAX_PROPERTY_CHARS,
  MAX_TAG_CHARS,
  MAX_TAGS,
} from '../limits.ts';
import { isPartCount, type Part } from '../parts.ts';
import {
  bytesSchema,
  countSchema,
  hashSchema,
  keySchema,
  lineSchema,
  nodeNameSchema,
  parseBody,
  refusedRecord,
  type SignedRecord,
  signRecord,
  timeSchema,
} from '../record.ts';
import { hintsSchema, packHints, type ReliabilityHint } from './hints.ts';
import { packModels } from './models.ts';

const propertySchema = z.union([lineSchema(MAX_PROPERTY_CHARS), z.number(), z.boolean()]);
const urlSchema = z.string().refine(isSignalingUrl, 'it is not a ws:// or wss:// URL');

const headBody = z.object({
  meshId: keySchema,
  node: keySchema,
  name: nodeNameSchema,
  sequence: countSchema,
  issuedAt: timeSchema,
  ttl: z.number().int().min(1).max(86_400),
  role: z.enum(['worker', 'client']),
  tags: z.array(lineSchema(MAX_TAG_CHARS)).max(MAX_TAGS),
  properties: z
    .record(z.string().regex(/^[a-z][a-z0-9_.-]{0,63}$/i), propertySchema)
    .refine((all) => Object.keys(all).length <= MAX_PROPERTIES),
  urls: z.array(urlSchema).max(16),
  bridgeUrl: z
    .url({ protocol: /^https?$/ })
    .max(MAX_BRIDGE_URL_CHARS)
    .regex(/^[!-~]+$/, 'it cannot be shown in a line')
    .optional(),
  fetching: z.array(digestSchema).max(MAX_FETCHING),
  modelCount: z.number().int().min(0).max(MAX_NODE_MODELS),
  parts: z
    .array(hashSchema)
    .max(MAX_PARTS)
    .refine(({ length }) => isPartCount(length), 'the parts are a power of two'),
  hints: hintsSchema.optional(),
  weights: z.array(z.number().int().min(1).max(MAX_NODE_WEIGHT)).max(MAX_PARTS),
  beats: z
    .object({
      anchor: bytesSchema(BEAT_VALUE_BYTES),
      interval: z.number().int().min(1).max(86_400),
      count: z.number().int().min(1).max(MAX_BEATS),
    })
    .optional(),
});
const checkedHeadBody = headBody.refine(
  ({ parts, weights }) =>
    weights.length === parts.length && weights.reduce((sum, weight) => sum + weight, 0) <= MAX_NODE_WEIGHT,
  `weights: one for each part, ${MAX_NODE_WEIGHT} together at most`,
);

/** What a node says of itself in its catalog. */
export interface OwnAnnouncement {
  readonly name: string;
  readonly role: MeshRole;
  readonly tags: readonly string[];
  readonly properties: Readonly<Record<string, MeshProperty>>;
  readonly urls: readonly string[];
  readonly models: readonly MeshModel[];
  /** Digests of models that it is fetching now. */
  readonly fetching?: readonly Digest[] | undefined;
  /** Where its HTTP bridge is, if other machines can reach it. */
  readonly bridgeUrl?: string | undefined;
  /** What came of asking other nodes. */
  readonly hints?: readonly ReliabilityHint[] | undefined;
}

/** What a node says of itself, and which parts list its models. */
export interface CatalogHead {
  readonly record: SignedRecord;
  readonly key: string;
  readonly name: string;
  readonly sequence: number;
  readonly issuedAtMs: number;
  readonly ttlMs: number;
  readonly role: MeshRole;
  readonly tags: readonly string[];
  readonly properties: Readonly<Record<string, MeshProperty>>;
  readonly urls: readonly string[];
  readonly bridgeUrl: string | undefined;
  readonly fetching: readonly Digest[];
  readonly modelCount: number;
  readonly parts: readonly string[];
  readonly hints: readonly ReliabilityHint[];
  /** What each part takes of the node's share. */
  readonly weights: readonly number[];
  /** undefined for a node that does not go on to say that it is there. */
  readonly beats: BeatPlan | undefined;
}

export interface SignHeadOptions {
  readonly meshId: string;
  readonly own: OwnAnnouncement;
  readonly sequence: number;
  readonly nowMs: number;
  /** How long it counts: less for a node that is going. */
  readonly ttlMs?: number | undefined;
  /** The chain that its beats come from. */
  readonly beats?: BeatPlan | undefined;
}

/** @returns the head, and the parts that it names */
export function signHead(
  identity: Identity,
  { meshId, own, sequence, nowMs, ttlMs = CATALOG_TTL_MS, beats }: SignHeadOptions,
): { record: SignedRecord; parts: Part[] } {
  const { parts, count, weights } = packModels(own.models.slice(0, MAX_NODE_MODELS));
  const body = {
    ...{
      meshId: hexToBytes(meshId),
      node: identity.publicKey,
      name: own.name,
      sequence,
      issuedAt: nowMs,
      ttl: Math.max(1, Math.floor(ttlMs / 1000)),
    },
    ...{ role: own.role, tags: own.tags.slice(0, MAX_TAGS), properties: own.properties, urls: own.urls.slice(0, 16) },
    ...{
      fetching: (own.fetching ?? []).slice(0, MAX_FETCHING),
      modelCount: count,
      parts: parts.map(({ hash }) => hexToBytes(hash)),
      weights,
    },
    ...(own.bridgeUrl === undefined ? {} : { bridgeUrl: own.bridgeUrl }),
    ...((own.hints ?? []).length === 0 ? {} : { hints: packHints(own.hints ?? []) }),
    ...(beats === undefined ? {} : { beats: planFields(beats) }),
  };
  return { record: signRecord('model_catalog', body, [identity]), parts };
}

/** The signature is not checked yet. @throws ModelRtcError `malformed_message`, `refused` */
export function readHead(record: SignedRecord, meshId: string): CatalogHead {
  const body = parseBody(checkedHeadBody, record);
  if (bytesToHex(body.meshId) !== meshId) throw refusedRecord('it is about another mesh');
  const {
    name,
    sequence,
    issuedAt,
    ttl,
    role,
    tags,
    properties,
    urls,
    bridgeUrl,
    fetching,
    modelCount,
    weights,
    hints = [],
  } = body;
  return {
    ...{
      record,
      key: bytesToHex(body.node),
      name,
      sequence,
      issuedAtMs: issuedAt,
      ttlMs: Math.min(ttl * 1000, CATALOG_TTL_MS),
    },
    ...{ role, tags, properties, urls, bridgeUrl, fetching, modelCount, hints },
    parts: body.parts.map((hash) => bytesToHex(hash)),
    ...{ weights, beats: planOf(body.beats) },
  };
}

/** A catalog that its node has signed and that breaks a rule: the node is named, whoever passed it on. */
export function catalogProblem({ key, name }: CatalogHead, problem: string, cause?: unknown): ModelRtcError {
  const { code, message, details } = refusedRecord(`the catalog of ${name} ${problem}`);
  return new ModelRtcError(code, message, { details: { ...details, culprit: key }, cause });
}

function planFields({ anchor, intervalMs, count }: BeatPlan): z.output<typeof headBody>['beats'] {
  return { anchor, interval: Math.max(1, Math.round(intervalMs / 1000)), count };
}

function planOf(beats: z.output<typeof headBody>['beats']): BeatPlan | undefined {
  if (beats === undefined) return undefined;
  return { anchor: beats.anchor, intervalMs: beats.interval * 1000, count: beats.count };
}
