import { OWN_FOLDER } from '@model-rtc/protocol';

const SKIPPED_FOLDERS: ReadonlyMap<string, string> = new Map([
  [OWN_FOLDER, "a registry's own notes"],
  ['logs', 'training logs'],
  ['lightning_logs', 'training logs'],
  ['wandb', 'training logs'],
  ['mlruns', 'training logs'],
  ['tensorboard', 'training logs'],
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
  [/(\.tmp|\.temp|~|\.swp|\.bak)$/i, 'a temporary file'],
  [/\.(part|partial|incomplete|crdownload|download)$/i, 'an unfinished download'],
  [/\.lock$/i, 'a lock'],
  [/^(thumbs\.db|desktop\.ini)$/i, 'metadata of a file manager'],
  [/\.py[co]$/i, 'a cache'],
];

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
