import { digestSchema, MODEL_SOURCES, modelIdSchema } from '@model-rtc/protocol';
import * as z from 'zod';
import type { MeshModel } from '../../types.ts';
import { type Part, readPart, spreadOverParts } from '../parts.ts';
import { countSchema, lineSchema } from '../record.ts';

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
  tags: z.array(lineSchema(64)).max(64),
  license: lineSchema(256).optional(),
});
const MODEL_PART = { entry: modelSchema, keyOf: ({ digest }: z.output<typeof modelSchema>): string => digest };

/** The models of a catalog, spread over parts by their digests. Those whose texts nobody could show are left out. */
export function packModels(models: readonly MeshModel[]): { readonly parts: Part[]; readonly count: number } {
  const entries = models.flatMap((model) => fromModel(model) ?? []);
  return { parts: spreadOverParts(entries, ({ digest }) => digest), count: entries.length };
}

/** The models of one part, whose hash the caller checked. @throws ModelRtcError `malformed_message` */
export function readModels(bytes: Uint8Array, place: { readonly index: number; readonly count: number }): MeshModel[] {
  return readPart(bytes, place, MODEL_PART).map(toModel);
}

/** undefined for a model whose texts nobody could show. */
function fromModel(model: MeshModel): z.input<typeof modelSchema> | undefined {
  const fields = {
    ...{ digest: model.digest, model_id: model.modelId, name: model.name, alias: model.alias, type: model.type },
    ...{ format: model.format, size_bytes: model.sizeBytes, sha256: model.sha256, version: model.version },
    ...{ capabilities: [...model.capabilities], base_model: model.baseModel?.slice(0, 256), source: model.source },
    ...{ source_ref: model.sourceRef?.slice(0, 256), tags: [...model.tags], license: model.license?.slice(0, 256) },
  };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const parsed = modelSchema.safeParse(given);
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
