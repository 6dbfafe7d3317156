import type { CodeFile, ModelEntry } from '@model-rtc/protocol';

/** Imports listed for one file; a hostile file can have more than fit on a screen. */
const SHOWN_IMPORTS = 6;

type Marked = Pick<ModelEntry, 'codeFiles'>;

/**
 * The mark of a model in a list: `code` when a file of it runs code as it is loaded, `code!` when one also imports what
 * a model has no use for, `?` when nobody has looked, empty when it only holds data.
 */
export function codeMark({ codeFiles }: Marked): string {
  if (codeFiles === undefined) return '?';
  if (codeFiles.length === 0) return '';
  return codeFiles.some(({ suspicious }) => suspicious.length > 0) ? 'code!' : 'code';
}

/** What to tell of a model's files that run code, as pairs of a file's path and what is to know of it; the suspicious first. */
export function codeFileFacts({ codeFiles = [] }: Marked): [path: string, what: string][] {
  const bySuspicion = [...codeFiles].sort((a, b) => Number(b.suspicious.length > 0) - Number(a.suspicious.length > 0));
  return bySuspicion.map((file) => [file.path, codeFileText(file)]);
}

/** One file, as the end of a line that begins with its path. */
function codeFileText({ suspicious }: CodeFile): string {
  if (suspicious.length === 0) return 'runs code when it is loaded';
  const shown = suspicious.slice(0, SHOWN_IMPORTS).join(', ');
  const more = suspicious.length > SHOWN_IMPORTS ? ` and ${suspicious.length - SHOWN_IMPORTS} more` : '';
  return `runs code when it is loaded, and imports ${shown}${more}: do not load it unless you know why`;
}
