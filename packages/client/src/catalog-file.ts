import {
  CATALOG_VERSION,
  type Catalog,
  type CatalogModel,
  catalogIdSchema,
  catalogSchema,
  ModelRtcError,
  type PlannedModel,
  schemaProblem,
  withoutUndefined,
} from '@model-rtc/protocol';

/** Turns a catalog of one version into that of the next. */
type CatalogMigration = (file: Record<string, unknown>) => Record<string, unknown>;

/** By the version that each starts from. Version 1 is the first. */
const MIGRATIONS: ReadonlyMap<number, CatalogMigration> = new Map();

/**
 * Reads a catalog that `catalog export` wrote, here or on another machine.
 * @param from - names it in errors
 * @throws ModelRtcError `refused` when a newer version wrote it, `bad_argument` when it is no catalog
 */
export function parseCatalog(text: string, from: string, migrations = MIGRATIONS): Catalog {
  let file = parseObject(text, from);
  for (let version = file.version; version !== CATALOG_VERSION; version = file.version) {
    if (typeof version !== 'number' || !Number.isInteger(version) || version < 0)
      throw noCatalog(from, 'it names no version');
    if (version > CATALOG_VERSION) throw newer(from, version);
    const migrate = migrations.get(version);
    if (migrate === undefined) throw noCatalog(from, `no version ${version} is known`);
    file = { ...migrate(file), version: version + 1 };
  }
  const parsed = catalogSchema.safeParse(file);
  if (parsed.success) return parsed.data;
  throw noCatalog(from, schemaProblem(parsed.error), parsed.error);
}

function parseObject(text: string, from: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw noCatalog(from, 'it is not JSON', cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw noCatalog(from, 'it is not a JSON object');
}

function noCatalog(from: string, why: string, cause?: unknown): ModelRtcError {
  const sentence = `${from} is no catalog: ${why}. Pass a file that model-rtc catalog export wrote; nothing was changed.`;
  return new ModelRtcError('bad_argument', sentence, { cause });
}

function newer(from: string, version: number): ModelRtcError {
  const sentence = `${from} was written by a newer model-rtc (its version is ${version}, this one reads up to ${CATALOG_VERSION}). Upgrade model-rtc; nothing was changed.`;
  return new ModelRtcError('refused', sentence, { details: { version } });
}

/** What a registry calls a model by itself, which means something on its own machine alone. */
const REGISTRY_ID = /^(?:[0-9a-f]{8,64}$|local:)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the point
const NOT_IN_A_LINE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A model of another machine's catalog as one that is planned here. An id that its registry gave gets the start of the pool's before it. */
export function planOf({ id, name, architecture, metadata }: CatalogModel, poolId: string): PlannedModel {
  const named = REGISTRY_ID.test(id) ? `${poolId.slice(0, 8)}/${id}` : id;
  const { repo, revision, digest } = metadata;
  return {
    id: catalogIdSchema.safeParse(named).success ? named : id,
    name: name.replaceAll(NOT_IN_A_LINE, '\u{fffd}'),
    ...withoutUndefined({
      ...{ repo, revision },
      architecture: architecture?.replaceAll(NOT_IN_A_LINE, '\u{fffd}') || undefined,
      digest,
    }),
  };
}
