import { OWN_FOLDER } from '@model-rtc/protocol';
import { isWeightsFile } from './weights-files.ts';

const SKIPPED_FOLDERS: ReadonlyMap<string, string> = new Map([
  [OWN_FOLDER, "a registry's own notes"],
  ['wandb', 'training logs'],
  ['tmp', 'temporary files'],
  ['temp', 'temporary files'],
  ['viz', 'training plots'],
  ['__pycache__', 'a cache'],
  ['__macosx', 'metadata of an archiver'],
  ['node_modules', 'installed packages'],
]);

const SKIPPED_FILES: readonly (readonly [RegExp, string])[] = [
  [/^events\.out\.tfevents\./i, 'a training log'],
  [/\.log$/i, 'a log'],
  [/^(log|train|training_log[\d_]*)\.txt$/i, 'a log'],
  [/(\.tmp|\.temp|~|\.swp|\.bak)$/i, 'a temporary file'],
  [/\.(part|partial|incomplete|crdownload|download)$/i, 'an unfinished download'],
  [/\.lock$/i, 'a lock'],
  [/^(thumbs\.db|desktop\.ini)$/i, 'metadata of a file manager'],
  [/\.py[co]$/i, 'a cache'],
];

/** Folders of logs in which frameworks keep whole runs by default. */
const LOG_FOLDERS = new Set(['logs', 'lightning_logs', 'mlruns', 'tensorboard', 'tb_logs']);

/** Hidden, and yet a loader needs them: Hydra's configuration of a run, the list of a distributed checkpoint of torch. */
const KEPT = new Set(['.hydra', '.metadata']);
/** Which versions of packages a model's code runs with. */
const LOCK_OF_PACKAGES = /^(uv|poetry|pdm|pixi|Pipfile|Cargo|conda|conda-lock|requirements[^/]*)\.lock$/i;

/** Why a folder or file of this name never belongs to a model, as a noun phrase; undefined when it may belong to one. */
export function skipReason(name: string, kind: 'folder' | 'file'): string | undefined {
  if (KEPT.has(name) || (kind === 'file' && LOCK_OF_PACKAGES.test(name))) return undefined;
  if (kind === 'folder') {
    const reason = SKIPPED_FOLDERS.get(name.toLowerCase());
    if (reason !== undefined) return reason;
  } else {
    const rule = SKIPPED_FILES.find(([pattern]) => pattern.test(name));
    if (rule !== undefined) return rule[1];
  }
  return name.startsWith('.') ? `a hidden ${kind}` : undefined;
}

/** A folder of logs that are no part of a model. */
export interface LogFolder {
  readonly path: string;
  /** Weights that someone may miss. */
  readonly holdsWeights: boolean;
}

/**
 * The folders of logs among a model's files that do not belong to it: those without weights, and when the model has weights
 * elsewhere all of them. A run may have all its weights in one.
 */
export function logFolders(paths: readonly string[]): LogFolder[] {
  const hasWeights = new Map<string, boolean>();
  let hasOthers = false;
  for (const path of paths) {
    const isWeights = isWeightsFile(path);
    const folders = logFoldersAbove(path);
    for (const folder of folders) hasWeights.set(folder, isWeights || hasWeights.get(folder) === true);
    hasOthers ||= isWeights && folders.length === 0;
  }
  const out = [...hasWeights].map(([path, holdsWeights]) => ({ path, holdsWeights }));
  const leaving = out.filter(({ holdsWeights }) => hasOthers || !holdsWeights);
  const isInner = ({ path }: LogFolder) => leaving.some((other) => path.startsWith(`${other.path}/`));
  return leaving.filter((folder) => !isInner(folder));
}

function logFoldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.flatMap((part, i) => (isLogFolder(part) ? [parts.slice(0, i + 1).join('/')] : []));
}

/** Whether a folder of this name is one of logs, in which a framework may keep runs. */
export function isLogFolder(name: string): boolean {
  return LOG_FOLDERS.has(name.toLowerCase());
}
