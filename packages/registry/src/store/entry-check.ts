import {
  type CodeFile,
  MODEL_SOURCES,
  MODEL_STATUSES,
  modelComponentsSchema,
  storedAliasProblem,
} from '@model-rtc/protocol';
import * as z from 'zod';
import { type StoredEntry, storedEntrySchema } from '../entry/types.ts';

type Check = (value: unknown) => boolean;

/** The schema judges the days that only some months have. */
const PLAIN_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

const text =
  (most: number, least = 0): Check =>
  (value) =>
    typeof value === 'string' && value.length <= most && value.length >= least;
const pattern =
  (form: RegExp): Check =>
  (value) =>
    typeof value === 'string' && form.test(value);
const oneOf = (choices: readonly string[]): Check => {
  const known = new Set<unknown>(choices);
  return (value) => known.has(value);
};
const listOf =
  (item: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(item);
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const time = pattern(PLAIN_TIME);
const isScalar: Check = (value) =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value === 'boolean' || value === null || (typeof value === 'string' && value.length <= 4096);
const scalars: Check = (value) => {
  if (!isPlainObject(value)) return false;
  for (const name in value) if (name.length > 256 || !isScalar(value[name])) return false;
  return true;
};
const suspicious = listOf(text(256), 32);
const longText = text(4096);
const shortText = text(64, 1);
const codeFile: Check = (value) => {
  if (!isPlainObject(value)) return false;
  const { path, suspicious: found, unexamined } = value as Partial<CodeFile>;
  const known = unexamined === true ? 3 : 2;
  return Object.keys(value).length === known && longText(path) && suspicious(found);
};
const outcome = oneOf(['passed', 'failed', 'warning', 'skipped']);
const checkResult: Check = (value) => {
  if (!isPlainObject(value)) return false;
  const known = value.detail === undefined ? 2 : 3;
  const isKnown = Object.keys(value).length === known && shortText(value.check) && outcome(value.outcome);
  return isKnown && (known === 2 || longText(value.detail));
};
/** All models that come from hubs have one. */
const validation: Check = (value) => {
  if (!isPlainObject(value)) return false;
  const known = value.quick === undefined ? 3 : 4;
  const isKnown = Object.keys(value).length === known && time(value.at) && shortText(value.version);
  return isKnown && (known === 3 || typeof value.quick === 'boolean') && listOf(checkResult, 64)(value.results);
};
const COMPONENTS = new Set(Object.keys(modelComponentsSchema.shape));
const componentState = oneOf(['present', 'missing', 'incomplete']);
const components: Check = (value) =>
  isPlainObject(value) && Object.entries(value).every(([name, state]) => COMPONENTS.has(name) && componentState(state));
/** For fields that most entries do not have: the schema judges them. */
const never: Check = () => false;
const required = new Set<string>();
for (const [name, schema] of Object.entries(storedEntrySchema.shape)) {
  if (!(schema instanceof z.ZodOptional)) required.add(name);
}

const CHECKS: Readonly<Record<keyof StoredEntry, Check>> = {
  id: pattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  digest: pattern(/^[0-9a-f]{64}$/),
  runHash: text(4096),
  modelType: pattern(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  framework: text(4096),
  backbone: text(4096),
  alias: (value) => typeof value === 'string' && storedAliasProblem(value) === undefined,
  name: text(256, 1),
  source: oneOf(MODEL_SOURCES),
  status: oneOf(MODEL_STATUSES),
  createdAt: time,
  completedAt: time,
  importedAt: time,
  downloadedAt: time,
  size: count,
  fileCount: count,
  checkpointPath: text(4096),
  configPath: text(4096),
  metrics: scalars,
  hyperparameters: scalars,
  versions: scalars,
  tags: listOf(text(64, 1), 64),
  notes: text(65_536),
  lineage: never,
  license: text(4096),
  releases: never,
  hub: never,
  parameters: count,
  warnings: never,
  components,
  codeFiles: listOf(codeFile, 256),
  incomplete: never,
  importedWith: never,
  licenseAccepted: never,
  validation,
  folder: pattern(/^[a-z0-9][a-z0-9_-]{0,63}_[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  pinned: (value) => typeof value === 'boolean',
  linked: (value) => typeof value === 'boolean',
  originalPath: text(4096, 1),
  aliasSince: time,
  formerAliases: listOf(never, 0),
  foundIn: text(4096, 1),
  completenessCheck: count,
  filesIn: text(4096, 1),
  resumeCommand: text(4096, 1),
};
const CHECK_OF: ReadonlyMap<string, Check> = new Map(Object.entries(CHECKS));

/**
 * Whether `storedEntrySchema` would leave a value as it is. `false` says nothing: the schema decides then. Every command reads
 * an index that may hold ten thousand models. These checks take 15 to 40 ms for that, the schema 70 to 180 ms, and checks
 * derived from the schema's definitions 70 to 150 ms, so they are written by hand, and a test compares them with the schema.
 */
export function isStoredEntry(value: unknown): value is StoredEntry {
  if (!isPlainObject(value)) return false;
  let missing = required.size;
  for (const name in value) {
    const check = CHECK_OF.get(name);
    if (check === undefined || !check(value[name])) return false;
    if (required.has(name)) missing--;
  }
  return missing === 0;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
