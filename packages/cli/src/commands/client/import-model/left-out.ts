import { formatBytes } from '@model-rtc/protocol';
import type { FollowedLink, SkippedPath } from '@model-rtc/registry';
import { formatCount, formatSome, printable } from '../../../console/format.ts';

/** Reasons, and names for each, that are listed; a folder of logs can hold thousands. --json has all of them. */
const MAX_REASONS = 8;
const MAX_NAMES = 3;
const MAX_LINKS = 5;

interface Group {
  readonly reason: string;
  readonly paths: string[];
  files: number;
  bytes: number;
  /** Whether everything in it was counted. */
  isCounted: boolean;
}

/** What an import left out, a line for each reason, the largest first; empty when it left nothing out. */
export function leftOutText(skipped: readonly SkippedPath[]): string {
  if (skipped.length === 0) return '';
  const groups = byReason(skipped);
  const lines = groups.slice(0, MAX_REASONS).map((group) => `  ${groupText(group)}`);
  const more = groups.length > MAX_REASONS ? [`  and ${groups.length - MAX_REASONS} more reasons: see --json`] : [];
  const total = groups.reduce((sum, { bytes }) => sum + bytes, 0);
  const size =
    total === 0 ? '' : ` (${groups.every(({ isCounted }) => isCounted) ? '' : 'more than '}${formatBytes(total)})`;
  return [`Left out${size}. To take some of it all the same, pass --include:`, ...lines, ...more].join('\n');
}

function byReason(skipped: readonly SkippedPath[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { path, reason, bytes, files = 1 } of skipped) {
    const group = groups.get(reason) ?? { reason, paths: [], files: 0, bytes: 0, isCounted: true };
    groups.set(reason, group);
    group.paths.push(path);
    group.files += files;
    group.bytes += bytes ?? 0;
    group.isCounted &&= bytes !== undefined || HAS_NO_BYTES.test(reason);
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes);
}

/** Links, pipes and empty folders. */
const HAS_NO_BYTES = /link|folder|pipe|socket|device/;

function groupText({ reason, paths, files, bytes, isCounted }: Group): string {
  const names = formatSome(paths.map(printable), MAX_NAMES);
  const count = files > paths.length ? [formatCount(files, 'file')] : [];
  const size = bytes > 0 ? [formatBytes(bytes)] : [];
  const facts = isCounted ? [...count, ...size] : ['not counted'];
  return `${reason}: ${names}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}

/** Which links an import followed; empty when it followed none. */
export function followedText(followed: readonly FollowedLink[]): string {
  if (followed.length === 0) return '';
  const links = followed.map(({ path, target }) => `${printable(path)} (to ${printable(target)})`);
  return `Followed ${formatCount(followed.length, 'link')}: ${formatSome(links, MAX_LINKS)}`;
}
