import { unlessBroken } from '../../bytes/structure-error.ts';
import { readJson } from '../../completeness/read-json.ts';
import type { CheckedFile } from '../../completeness/types.ts';
import { at, type Document, isObject } from '../../documents/scalars.ts';
import { type CheckResult, someOf } from '../types.ts';
import { loadAndTry } from './load-tokenizer.ts';
import { countPieces, countTiktokenLines } from './sentencepiece.ts';
import { isId, quoted, readTokenizerJson, readVocabulary, type TokenizerFacts } from './tokenizer-json.ts';

/** The largest, with 260,000 words and 500,000 merges, have 35 MB. */
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;
const PIECES = ['tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model'];
const FILES = ['tokenizer.json', 'vocab.json', 'vocab.txt', ...PIECES];

/** What is wrong, and what was found to be right; as ends of sentences that begin with a file's name. */
interface Findings {
  readonly failed: string[];
  readonly warnings: string[];
  readonly right: string[];
}

/**
 * Whether the tokenizer of a model loads and fits the model: its own files agree, and no id is beyond the model's vocabulary.
 * @param files - all files of the model; those at its top are looked at
 * @param config - the model's `config.json`, where it has one
 * @throws what reading the files throws
 */
export async function checkTokenizer(
  files: readonly CheckedFile[],
  config: Document | undefined,
): Promise<CheckResult> {
  const file = (path: string) => files.find((one) => one.path === path);
  if (!FILES.some((path) => file(path) !== undefined)) {
    return { check: 'tokenizer', outcome: 'skipped', detail: 'The model has no tokenizer files.' };
  }
  const findings: Findings = { failed: [], warnings: [], right: [] };
  const words = at(config, 'vocab_size') ?? at(config, 'text_config', 'vocab_size');
  const limit = isId(words) ? words : undefined;
  const settings = await readSettings(file('tokenizer_config.json'), findings);
  await checkJson(file('tokenizer.json'), settings, limit, findings);
  await checkWords(file('vocab.json'), file('merges.txt'), limit, findings);
  await checkList(file('vocab.txt'), limit, findings);
  for (const path of PIECES) await checkPieces(file(path), limit, findings);
  checkSpecial(config, limit, findings);
  return judge(findings);
}

function judge({ failed, warnings, right }: Findings): CheckResult {
  const outcome = failed.length > 0 ? 'failed' : warnings.length > 0 ? 'warning' : 'passed';
  const said = failed.length > 0 ? failed : warnings.length > 0 ? warnings : right;
  return { check: 'tokenizer', outcome, detail: `${someOf(said)}.` };
}

async function readSettings(file: CheckedFile | undefined, { failed }: Findings): Promise<Document | undefined> {
  if (file === undefined) return undefined;
  const settings = await readJson(file, MAX_CONFIG_BYTES);
  if (isObject(settings)) return settings;
  failed.push(`${file.path}: it is no JSON object, or too large`);
  return undefined;
}

async function checkJson(
  file: CheckedFile | undefined,
  settings: Document | undefined,
  limit: number | undefined,
  { failed, warnings, right }: Findings,
): Promise<void> {
  if (file === undefined) return;
  const json = await readJson(file, MAX_TOKENIZER_BYTES);
  if (!isObject(json)) {
    failed.push(`${file.path}: it is no JSON object, or too large`);
    return;
  }
  const facts = readTokenizerJson(json);
  failed.push(...facts.problems.map((problem) => `${file.path}: ${problem}`));
  checkIds(file.path, facts, limit, { failed, warnings });
  warnings.push(...differences(json, settings));
  if (facts.problems.length > 0) return;
  const problem = await loadAndTry(json, settings ?? {});
  if (problem === undefined)
    right.push(`${file.path}: ${facts.kind} with ${facts.tokens} tokens, loads and cuts a text`);
  else warnings.push(`${file.path}: ${problem}`);
}

function checkIds(
  path: string,
  { largestId, largestAddedId }: Pick<TokenizerFacts, 'largestId' | 'largestAddedId'>,
  limit: number | undefined,
  { failed, warnings }: Pick<Findings, 'failed' | 'warnings'>,
): void {
  if (limit === undefined) return;
  if (largestId >= limit) {
    failed.push(`${path}: it has the id ${largestId}, and the model's vocabulary ends before ${limit}`);
  } else if (largestAddedId >= limit) {
    warnings.push(`${path}: it has an added token ${largestAddedId}, and the model's vocabulary ends before ${limit}`);
  }
}

/** Tokens to which `tokenizer_config.json` and `tokenizer.json` give different ids. */
function differences(json: Document, settings: Document | undefined): string[] {
  const decoder = at(settings, 'added_tokens_decoder');
  const added = at(json, 'added_tokens');
  if (!isObject(decoder) || !Array.isArray(added)) return [];
  const texts = new Map((added as unknown[]).map((token) => [String(at(token, 'id')), at(token, 'content')]));
  return Object.entries(decoder).flatMap(([id, token]) => {
    const [here, there] = [at(token, 'content'), texts.get(id)];
    if (typeof here !== 'string' || typeof there !== 'string' || here === there) return [];
    return [
      `tokenizer_config.json: the token ${quoted(id)} is ${quoted(here)}, and ${quoted(there)} in tokenizer.json`,
    ];
  });
}

async function checkWords(
  words: CheckedFile | undefined,
  merges: CheckedFile | undefined,
  limit: number | undefined,
  { failed, warnings, right }: Findings,
): Promise<void> {
  if (words === undefined) return;
  const json = await readJson(words, MAX_TOKENIZER_BYTES);
  if (!isObject(json)) {
    failed.push(`${words.path}: it is no JSON object, or too large`);
    return;
  }
  const problems: string[] = [];
  const vocabulary = readVocabulary(json, problems);
  failed.push(...problems.map((problem) => `${words.path}: ${problem}`));
  checkIds(words.path, { largestId: Math.max(-1, largestOf(vocabulary)), largestAddedId: -1 }, limit, {
    failed,
    warnings,
  });
  if (merges !== undefined) {
    const lines = (await readLines(merges)) ?? [];
    const bad = lines.filter((line) => !line.startsWith('#') && line.split(' ').length !== 2).length;
    if (bad > 0) failed.push(`${merges.path}: ${bad} of its lines are no two words`);
  }
  right.push(`${words.path}: ${vocabulary.size} words`);
}

function largestOf(vocabulary: ReadonlyMap<string, number>): number {
  let largest = -1;
  for (const id of vocabulary.values()) largest = Math.max(largest, id);
  return largest;
}

async function checkList(
  file: CheckedFile | undefined,
  limit: number | undefined,
  { failed, right }: Findings,
): Promise<void> {
  if (file === undefined) return;
  const lines = await readLines(file);
  if (lines === undefined || lines.length === 0) failed.push(`${file.path}: it is empty or too large`);
  else if (limit !== undefined && lines.length > limit) {
    failed.push(`${file.path}: it has ${lines.length} words, and the model's vocabulary has ${limit}`);
  } else right.push(`${file.path}: ${lines.length} words`);
}

/** Undefined for a file that is too large. */
async function readLines(file: CheckedFile): Promise<string[] | undefined> {
  if (file.size > MAX_TOKENIZER_BYTES) return undefined;
  const bytes = await file.withReader(async (reader) => await reader.read(0, reader.size));
  return new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .filter((line) => line !== '');
}

async function checkPieces(
  file: CheckedFile | undefined,
  limit: number | undefined,
  { failed, warnings, right }: Findings,
): Promise<void> {
  if (file === undefined) return;
  if (file.size > MAX_TOKENIZER_BYTES) {
    warnings.push(`${file.path}: it is too large to be looked at`);
    return;
  }
  const pieces = await file.withReader(async (reader) => {
    const found = await unlessBroken(countPieces(reader));
    return found ?? countTiktokenLines(new TextDecoder('latin1').decode(await reader.read(0, reader.size)));
  });
  if (pieces === undefined) failed.push(`${file.path}: it is no SentencePiece model and no list of tiktoken`);
  else if (limit !== undefined && pieces > limit) {
    failed.push(`${file.path}: it has ${pieces} pieces, and the model's vocabulary has ${limit}`);
  } else right.push(`${file.path}: ${pieces} pieces`);
}

/** A list of ids for the end is as good as one. Some write -1 where there is none. */
function checkSpecial(config: Document | undefined, limit: number | undefined, { failed }: Findings): void {
  if (limit === undefined) return;
  for (const key of ['bos_token_id', 'eos_token_id', 'pad_token_id']) {
    const value = at(config, key);
    for (const id of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (id === undefined || id === null || id === -1) continue;
      if (!isId(id) || id >= limit) {
        failed.push(
          `config.json: ${key} is ${quoted(JSON.stringify(id))}, and the model's vocabulary ends before ${limit}`,
        );
      }
    }
  }
}
