import { isWeightsFile, programReasonByName, skipReason } from '@model-rtc/formats';
import { formatBytes, ModelRtcError, modelPathProblem } from '@model-rtc/protocol';
import { createFileChoice, type SkippedPath } from '@model-rtc/registry';

/** What is told of a file before it is fetched. */
export interface ListedFile {
  readonly path: string;
  readonly size: number;
}

export interface ChosenFiles<File extends ListedFile> {
  readonly files: readonly File[];
  readonly leftOut: readonly SkippedPath[];
  /** The only set of weights that was taken of several, by its first file. */
  readonly onlyWeights?: string | undefined;
}

/** Globs of a person. */
export interface FilePatterns {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Weights of transformers in another format than safetensors, beside the same in safetensors. */
const OTHER_FORMATS =
  /^(pytorch_model.*\.bin(\.index\.json)?|tf_model.*\.h5(\.index\.json)?|flax_model.*\.msgpack(\.index\.json)?|rust_model\.ot|model\.ckpt(\..*)?)$/;
/** Folders in which repositories keep their weights once more, for other programs. */
const OTHER_FOLDERS = new Set(['onnx', 'openvino', 'coreml', 'tflite', 'original', 'gguf', 'mlx']);
/** Sets of weights that a message names. */
const LISTED_SETS = 12;
const SHARD = /-\d{5}-of-\d{5}(?=\.gguf$)/;

/**
 * Which files of a repository make the model. Code of the repository, programs, logs, hidden files and copies of the weights in
 * other formats are left out unless `include` names them. Where `include` names weights, no others are taken.
 * @throws ModelRtcError `bad_argument` for a bad pattern or when nothing is left; `ambiguous` with the sets when the repository has several
 * sets of weights and one is enough; `invalid_model` when weights have a name that no model can have
 */
export function chooseFiles<File extends ListedFile>(
  repo: string,
  all: readonly File[],
  { include = [], exclude = [] }: FilePatterns,
): ChosenFiles<File> {
  const choice = createFileChoice(include, exclude);
  const namesWeights = all.some(({ path }) => isWeightsFile(path) && choice.includes(path));
  const copies = copiesOfWeights(all);
  const leftOut: SkippedPath[] = [];
  const files = all.filter(({ path, size }) => {
    const reason = reasonFor(path);
    if (reason !== undefined) leftOut.push({ path, reason, bytes: size });
    return reason === undefined;
  });
  if (!files.some(({ path }) => isWeightsFile(path))) throw nothingLeft(repo, all.length, leftOut);
  const sets = ggufSets(files);
  if (sets.length > 1 && !namesWeights) throw severalSets(repo, sets);
  const isOneOfSeveral = sets.length === 1 && ggufSets(all).length > 1;
  return { files, leftOut, onlyWeights: isOneOfSeveral ? sets[0]?.path : undefined };

  function reasonFor(path: string): string | undefined {
    if (choice.excludes(path)) return 'left out by --exclude';
    const name = modelPathProblem(path);
    if (name !== undefined) return requireUnneeded(repo, path, name);
    if (choice.includes(path)) return undefined;
    if (/\.py[wi]?$/i.test(path)) return "the repository's own code";
    if (namesWeights && isWeightsFile(path)) return 'other weights than --include names';
    return byName(path) ?? programReasonByName(path) ?? copies.get(path);
  }
}

/** A file that no machine can have is left out, unless the model is nothing without it. */
function requireUnneeded(repo: string, path: string, problem: string): string {
  if (!isWeightsFile(path)) return `a name that no model can have (${problem})`;
  const sentence = `${repo} has weights that no model here can have: ${problem}. Leave them out with --exclude.`;
  throw new ModelRtcError('invalid_model', sentence, { details: { repo, path } });
}

/** By the names of the file and of the folders that it is in. */
function byName(path: string): string | undefined {
  const parts = path.split('/');
  const reasons = parts.map((part, i) => skipReason(part, i === parts.length - 1 ? 'file' : 'folder'));
  return reasons.find((reason) => reason !== undefined);
}

function copiesOfWeights(all: readonly ListedFile[]): Map<string, string> {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1);
  const safe = new Set(
    all
      .filter(({ path }) => path.endsWith('.safetensors') && !path.includes('adapter'))
      .map(({ path }) => folderOf(path)),
  );
  const hasWeightsOnTop = all.some(({ path }) => !path.includes('/') && isWeightsFile(path));
  const copies = new Map<string, string>();
  for (const { path } of all) {
    const name = path.slice(folderOf(path).length);
    const [top = '', ...below] = path.split('/');
    if (safe.has(folderOf(path)) && OTHER_FORMATS.test(name)) copies.set(path, 'the same weights in another format');
    else if (hasWeightsOnTop && below.length > 0 && OTHER_FOLDERS.has(top.toLowerCase()))
      copies.set(path, 'the same weights for other programs');
  }
  return copies;
}

/** Files that are one model each: quantisations. The projector of a model for images goes with any of them. */
function ggufSets(files: readonly ListedFile[]): ListedFile[] {
  const sets = new Map<string, ListedFile>();
  for (const { path, size } of files) {
    if (!path.toLowerCase().endsWith('.gguf') || /mmproj/i.test(path)) continue;
    const key = path.replace(SHARD, '');
    const known = sets.get(key);
    sets.set(key, known === undefined ? { path, size } : { path: known.path, size: known.size + size });
  }
  return [...sets.values()];
}

function severalSets(repo: string, sets: readonly ListedFile[]): ModelRtcError {
  const patterns = sets.map(({ path }) => path.replace(SHARD, '*'));
  const shown = sets.slice(0, LISTED_SETS).map(({ size }, i) => `${patterns[i]} (${formatBytes(size)})`);
  const more = sets.length > shown.length ? ` and ${sets.length - shown.length} more` : '';
  const sentence = `${repo} holds ${sets.length} models: ${shown.join(', ')}${more}. Choose one, such as --include ${JSON.stringify(patterns[0])}.`;
  return new ModelRtcError('ambiguous', sentence, { details: { repo, models: sets } });
}

function nothingLeft(repo: string, count: number, leftOut: readonly SkippedPath[]): ModelRtcError {
  const why = leftOut.some(({ reason }) => reason.includes('clude')) ? ' Change --include and --exclude.' : '';
  const files = count === 1 ? 'The one file' : `None of the ${count} files`;
  const sentence = `${files} of ${repo} that would be fetched holds ${count === 1 ? 'no ' : ''}weights.${why}`;
  return new ModelRtcError('bad_argument', sentence, { details: { repo, leftOut } });
}
