import { digestSchema, MODEL_SOURCES, modelIdSchema } from '@model-rtc/protocol';
import * as z from 'zod';
import type { MeshModel } from '../../types.ts';
import { MAX_NODE_WEIGHT, WEIGHED_BYTES } from '../limits.ts';
import { type Part, partOf, readPart, spreadOverParts } from '../parts.ts';
import { countSchema, lineSchema } from '../record.ts';

const MAX_MODEL_TAGS = 64;
const modelSchema = z.object({
  digest: digestSchema,
  model_id: modelIdSchema,
  name: lineSchema(256),
  alias: lineSchema(64).optional(),
  type: lineSchema(64),
  format: lineSchema(32).optional(),
  size_bytes: countSchema,
  sha256: digestSchema.optional(),
  version: lineSchema(128).optional(),
  capabilities: z.array(lineSchema(64)).max(16),
  base_model: lineSchema(256).optional(),
  source: z.enum(MODEL_SOURCES),
  source_ref: lineSchema(256).optional(),
  tags: z.array(lineSchema(64)).max(MAX_MODEL_TAGS),
  license: lineSchema(256).optional(),
});
const MODEL_PART = { entry: modelSchema, keyOf: ({ digest }: z.output<typeof modelSchema>): string => digest };

export interface PackedModels {
  readonly parts: Part[];
  /** What each part takes of the node's share. */
  readonly weights: number[];
  readonly count: number;
}

/**
 * The models of a catalog, spread over parts by their digests. Those whose texts nobody could show are left out, and the last ones where all
 * are longer than a node's may be.
 */
export function packModels(models: readonly MeshModel[]): PackedModels {
  let entries = models.flatMap((model) => fromModel(model) ?? []);
  for (;;) {
    const parts = spreadOverParts(entries, ({ digest }) => digest);
    const counts = new Map<number, number>();
    for (const { digest } of entries) {
      const part = partOf(digest, parts.length);
      counts.set(part, (counts.get(part) ?? 0) + 1);
    }
    const weights = parts.map(({ bytes }, i) => weightOf(bytes, counts.get(i) ?? 0));
    if (weights.reduce((sum, weight) => sum + weight, 0) <= MAX_NODE_WEIGHT)
      return { parts, weights, count: entries.length };
    entries = entries.slice(0, Math.floor(entries.length / 2));
  }
}

/** What a part takes of its node's share: one for each model, more where they are long. */
export function weightOf(bytes: Uint8Array, models: number): number {
  return Math.max(1, models, Math.ceil(bytes.length / WEIGHED_BYTES));
}

/** The models of one part, whose hash the caller checked. @throws ModelRtcError `malformed_message` */
export function readModels(bytes: Uint8Array, place: { readonly index: number; readonly count: number }): MeshModel[] {
  return readPart(bytes, place, MODEL_PART).map(toModel);
}

/** Tags and what a model may lack are left out where nobody could show them; undefined for a model whose name or type is such a text. */
function fromModel(model: MeshModel): z.input<typeof modelSchema> | undefined {
  const { shape } = modelSchema;
  const optional = {
    ...{ alias: model.alias, format: model.format, sha256: model.sha256, version: model.version },
    ...{ base_model: model.baseModel?.slice(0, 256), source_ref: model.sourceRef?.slice(0, 256) },
    license: model.license?.slice(0, 256),
  };
  const shown = Object.entries(optional).filter(
    ([name, value]) => value !== undefined && shape[name as keyof typeof optional].safeParse(value).success,
  );
  const parsed = modelSchema.safeParse({
    ...{ digest: model.digest, model_id: model.modelId, name: model.name, type: model.type, source: model.source },
    ...{ size_bytes: model.sizeBytes, capabilities: [...model.capabilities], ...Object.fromEntries(shown) },
    tags: model.tags.filter((tag) => shape.tags.safeParse([tag]).success).slice(0, MAX_MODEL_TAGS),
  });
  return parsed.success ? parsed.data : undefined;
}

function toModel(model: z.output<typeof modelSchema>): MeshModel {
  const { model_id, size_bytes, base_model, source_ref, alias, ...same } = model;
  return {
    ...same,
    alias: alias as MeshModel['alias'],
    modelId: model_id,
    sizeBytes: size_bytes,
    baseModel: base_model,
    sourceRef: source_ref,
  };
}
