import { type Alias, aliasProblem, ModelRtcError, modelPathProblem, suggestAlias } from '@model-rtc/protocol';
import type { NamePair } from '@model-rtc/registry';

/** References that commands take for something else: the start of a digest, and `group/model@version`. */
const LIKE_A_DIGEST = /^[0-9a-f]{6,64}$/i;
const OTHER_MEANING = /[@:?*<>|"]/;
const MAX_NAME_CHARS = 128;

/** Why a text cannot be the name of a model from a hub, as a sentence's end; undefined when it can. */
export function modelNameProblem(name: string): string | undefined {
  const path = modelPathProblem(name);
  if (path !== undefined) return path;
  if (name.length > MAX_NAME_CHARS) return `a name has at most ${MAX_NAME_CHARS} characters`;
  if (OTHER_MEANING.test(name)) return 'a name has none of @ : ? * < > | "';
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name) || name.trim() !== name)
    return 'a name has no invisible characters, and no space at its ends';
  if (name.startsWith('-')) return 'a name that starts with "-" looks like an option';
  if (LIKE_A_DIGEST.test(name)) return 'it would look like an id or a digest';
  const word = name.split('/').at(-1) ?? name;
  const reserved = aliasProblem(word);
  return reserved?.endsWith('is a reserved word') === true ? reserved : undefined;
}

/** @throws ModelRtcError `bad_argument` with the broken rule */
export function requireModelName(name: string): string {
  const problem = modelNameProblem(name);
  if (problem === undefined) return name;
  const sentence = `${JSON.stringify(name)} cannot be the name of a model: ${problem}. Choose another --name, such as "${likeName(name)}".`;
  throw new ModelRtcError('bad_argument', sentence, { details: { name, rule: problem } });
}

/** A name like one that cannot be used. */
function likeName(name: string): string {
  const like = suggestAlias(name);
  return modelNameProblem(like) === undefined ? like : `${like}-model`;
}

/**
 * What a repository is called here: `Qwen/Qwen2.5-0.5B` is `qwen2.5-0.5b`. With the file of one of several sets of weights, that
 * file's name, since the repository's is the same for all.
 */
export function nameOfRepository(repo: string, onlyWeights?: string): string {
  const [organization = '', name = organization] = repo.toLowerCase().split('/');
  const file = onlyWeights
    ?.toLowerCase()
    .split('/')
    .at(-1)
    ?.replace(/\.[a-z]+$/, '')
    .replace(/-0*1-of-\d+$/, '');
  const candidates = [...(file === undefined ? [] : [file, `${name}-${file}`]), name, `${organization}-${name}`];
  return candidates.find((candidate) => modelNameProblem(candidate) === undefined) ?? suggestAlias(`hub-${name}`);
}

/** A full name with its alias. Aliases have no dots: see docs/decisions/names-from-hubs.md. */
export function withAlias(name: string, alias?: Alias): NamePair {
  return { name, alias: alias ?? suggestAlias(name) };
}
