import { OWN_FOLDER } from '@model-rtc/protocol';

const SKIPPED_FOLDERS: ReadonlyMap<string, string> = new Map([
  [OWN_FOLDER, 'the notes of a registry'],
  ['logs', 'logs of the training'],
  ['lightning_logs', 'logs of the training'],
  ['wandb', 'logs of the training'],
  ['mlruns', 'logs of the training'],
  ['tensorboard', 'logs of the training'],
  ['tmp', 'temporary files'],
  ['temp', 'temporary files'],
  ['viz', 'pictures of the training'],
  ['__pycache__', 'a cache'],
  ['__macosx', 'notes of an archiver'],
  ['node_modules', 'installed packages'],
]);

const SKIPPED_FILES: readonly (readonly [RegExp, string])[] = [
  [/^events\.out\.tfevents\./i, 'a log of the training'],
  [/\.log$/i, 'a log'],
  [/(\.tmp|\.temp|~|\.swp|\.bak)$/i, 'a temporary file'],
  [/\.(part|partial|incomplete|crdownload|download)$/i, 'an unfinished download'],
  [/\.lock$/i, 'a lock'],
  [/^(thumbs\.db|desktop\.ini)$/i, 'a note of the file manager'],
  [/\.py[co]$/i, 'a cache'],
];

/** Why a folder or file of this name is no part of any model, as the end of a sentence; undefined when it may be one. */
export function skipReason(name: string, kind: 'folder' | 'file'): string | undefined {
  if (kind === 'folder') {
    const reason = SKIPPED_FOLDERS.get(name.toLowerCase());
    if (reason !== undefined) return reason;
  } else {
    const rule = SKIPPED_FILES.find(([pattern]) => pattern.test(name));
    if (rule !== undefined) return rule[1];
  }
  return name.startsWith('.') ? `a hidden ${kind}` : undefined;
}
