import { readHead } from '../bytes/byte-readers.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { extensionOf } from '../file-names.ts';
import type { ByteReader } from '../types.ts';
import { walkUbjson } from './ubjson.ts';

/** What an XGBoost model says of itself. Source: xgboost, doc/tutorials/saving_model.rst and doc/model.schema */
export interface XgboostModel {
  readonly objective: string | undefined;
  readonly booster: string | undefined;
  /** Of the library, such as `2.0.3`. */
  readonly version: string | undefined;
  readonly features: string | undefined;
}

const HEAD_BYTES = 256;
/** The learner's settings and the version stand behind its trees. */
const TAIL_BYTES = 64 * 1024;
/** `learner` or `version` is the first key at the top, and each is there. */
const JSON_HEAD = /^\s*\{\s*("version"\s*:\s*\[[\d,\s]*\]\s*,\s*)?"learner"\s*:\s*\{/;
/** A map whose first key is `learner`: its length, 7, is a number of 8 bytes or of one. */
const UBJSON_HEADS = ['{L\0\0\0\0\0\0\0', '{i', '{U'].map((start) => `${start}\u0007learner{`);
const JSON_END = /"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]\s*\}\s*$/;
/** A JSON whose version stands first is parsed to know that it ends. */
const MAX_PARSED_BYTES = 32 * 1024 * 1024;
const WANTED = new Set([
  'learner.objective.name',
  'learner.gradient_booster.name',
  'learner.learner_model_param.num_feature',
]);

export async function xgboostKind(reader: ByteReader, path: string): Promise<'json' | 'ubjson' | undefined> {
  const extension = extensionOf(path);
  if (!['.json', '.ubj', '.model', '.xgb', '.bin'].includes(extension)) return undefined;
  const head = new TextDecoder('latin1').decode(await readHead(reader, HEAD_BYTES));
  if (JSON_HEAD.test(head)) return 'json';
  return UBJSON_HEADS.some((start) => head.startsWith(start)) ? 'ubjson' : undefined;
}

/**
 * Reads a model that `xgboostKind` knows, without its trees.
 * @throws EndsEarlyError and StructureError for one that is cut off or broken
 */
export async function readXgboost(reader: ByteReader, kind: 'json' | 'ubjson'): Promise<XgboostModel> {
  if (kind === 'json') return await readJsonTail(reader);
  const texts = await walkUbjson(reader, WANTED);
  return {
    objective: texts.get('learner.objective.name'),
    booster: texts.get('learner.gradient_booster.name'),
    version: undefined,
    features: texts.get('learner.learner_model_param.num_feature'),
  };
}

async function readJsonTail(reader: ByteReader): Promise<XgboostModel> {
  const bytes = Math.min(reader.size, TAIL_BYTES);
  const tail = new TextDecoder('latin1').decode(await reader.read(reader.size - bytes, bytes));
  const end = JSON_END.exec(tail);
  if (end === null) await requireWholeJson(reader);
  return {
    objective: /"objective"\s*:\s*\{\s*"name"\s*:\s*"([^"]{1,200})"/.exec(tail)?.[1],
    booster: /"name"\s*:\s*"(gbtree|gblinear|dart)"/.exec(tail)?.[1],
    version: end?.slice(1, 4).join('.'),
    features: /"num_feature"\s*:\s*"(\d{1,15})"/.exec(tail)?.[1],
  };
}

async function requireWholeJson(reader: ByteReader): Promise<void> {
  if (reader.size > MAX_PARSED_BYTES) return;
  try {
    JSON.parse(new TextDecoder().decode(await reader.read(0, reader.size)));
  } catch (cause) {
    throw new StructureError('its JSON does not end', { cause });
  }
}
