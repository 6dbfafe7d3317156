import type { CodeFile } from '@model-rtc/protocol';
import { baseName, extensionOf } from '../file-names.ts';
import { isWeightsFile } from '../layouts/weights-files.ts';

/** Files that no tool runs: texts, settings, tables, pictures, sounds and plain arrays. */
const PLAIN = new Set([
  ...[
    '.txt',
    '.md',
    '.rst',
    '.json',
    '.jsonl',
    '.yaml',
    '.yml',
    '.toml',
    '.ini',
    '.cfg',
    '.csv',
    '.tsv',
    '.xml',
    '.log',
  ],
  ...[
    '.png',
    '.jpg',
    '.jpeg',
    '.gif',
    '.webp',
    '.bmp',
    '.tif',
    '.tiff',
    '.svg',
    '.wav',
    '.mp3',
    '.flac',
    '.mp4',
    '.npy',
  ],
]);
const PLAIN_NAME = /^(readme|licen[cs]e|copying|notice|authors|changelog|\.git(attributes|ignore))$/i;
const WHY = '(its format is not known, so nobody can tell what loading it runs)';

/** What is said of the files of a model that was taken as it is: those whose formats are not known may run code. */
export function unknownFormats(files: readonly { readonly path: string }[], found: readonly CodeFile[]): CodeFile[] {
  const known = new Set(found.map(({ path }) => path));
  return files
    .filter(({ path }) => !known.has(path) && !isWeightsFile(path) && !isPlain(path))
    .map(({ path }) => ({ path, suspicious: [WHY], unexamined: true }));
}

function isPlain(path: string): boolean {
  return PLAIN.has(extensionOf(path)) || PLAIN_NAME.test(baseName(path));
}
