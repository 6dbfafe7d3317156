import { hubOriginSchema } from '@model-rtc/protocol';
import * as z from 'zod';
import type { HubLicense, HubModel } from '../types.ts';

const name = z.string().min(1).max(256);
const names = z.array(name).max(1_000);
const listed = z.union([name.transform((one) => [one]), names]);

/** What a card says may be anything: what is not as expected is not there. */
const cardSchema = z.object({
  license: z
    .union([name, z.array(name).min(1).max(16)])
    .optional()
    .catch(undefined),
  license_name: name.optional().catch(undefined),
  license_link: z.string().min(1).max(2048).optional().catch(undefined),
  base_model: listed.optional().catch(undefined),
});

/** What the hub's library gives of a model. */
const infoSchema = z.object({
  name: hubOriginSchema.shape.repo,
  sha: hubOriginSchema.shape.commit,
  gated: z.union([z.literal(false), z.literal('auto'), z.literal('manual')]).catch(false),
  private: z.boolean().catch(false),
  task: name.optional().catch(undefined),
  library_name: name.optional().catch(undefined),
  tags: names.catch([]),
  cardData: cardSchema.nullish().catch(undefined),
  config: z
    .object({ architectures: names.optional().catch(undefined), model_type: name.optional().catch(undefined) })
    .nullish()
    .catch(undefined),
  safetensors: z
    .object({ total: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER) })
    .nullish()
    .catch(undefined),
});

/** What is asked for besides what the library always asks for. */
export const ASKED_FIELDS = ['sha', 'cardData', 'config', 'library_name', 'safetensors', 'tags'] as const;

export type ModelFacts = Omit<HubModel, 'files' | 'revision' | 'endpoint'>;

/** The parts of a hub's answer that are used. @returns undefined for an answer without a name or a commit */
export function readInfo(answer: unknown): ModelFacts | undefined {
  const parsed = infoSchema.safeParse(answer);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const card = data.cardData ?? undefined;
  return {
    repo: data.name,
    commit: data.sha,
    gated: data.gated,
    isPrivate: data.private,
    license: licenseOf(card, data.tags),
    architectures: data.config?.architectures ?? [],
    modelType: data.config?.model_type,
    libraryName: data.library_name,
    pipelineTag: data.task,
    tags: data.tags,
    baseModels: card?.base_model ?? [],
    parameters: data.safetensors?.total,
  };
}

function licenseOf(card: z.infer<typeof cardSchema> | undefined, tags: readonly string[]): HubLicense | undefined {
  const tag = tags.find((one) => one.startsWith('license:'))?.slice('license:'.length);
  const id = card?.license === undefined ? tag : [card.license].flat().join(', ');
  if (id === undefined && card?.license_name === undefined) return undefined;
  return { id, name: card?.license_name, link: card?.license_link };
}
