import type { FetchedResults } from '@model-rtc/client';
import { formatBytes } from '@model-rtc/protocol';
import { formatCount, printable } from '../../console/format.ts';

/** `clip.mp4.mouse.predictions.slp (2.1 MB)`. */
export function resultsText({ path, bytes, fileCount, form, outcome }: FetchedResults): string {
  const size = form === 'folder' ? `${formatCount(fileCount, 'file')}, ${formatBytes(bytes)}` : formatBytes(bytes);
  return `${printable(path)} (${size}${outcome === 'same' ? ', there already' : ''})`;
}
