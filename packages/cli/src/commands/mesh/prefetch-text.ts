import type { ListedRule, PrefetchRule, RuleProgress } from '@model-rtc/mesh';
import { formatBytes } from '@model-rtc/protocol';
import { formatTime } from '../../console/format.ts';

/** `type gguf, tag mouse, at most 8.0 GB` */
export function whichText({ type, tag, name, minBytes, maxBytes }: PrefetchRule): string {
  return [
    ...(type === undefined ? [] : [`type ${type}`]),
    ...(tag === undefined ? [] : [`tag ${tag}`]),
    ...(name === undefined ? [] : [`name ${name}`]),
    ...(minBytes === undefined ? [] : [`at least ${formatBytes(minBytes)}`]),
    ...(maxBytes === undefined ? [] : [`at most ${formatBytes(maxBytes)}`]),
  ].join(', ');
}

/** `22:00-06:00 on mon,tue`, or `always` */
export function whenText({ between, days }: PrefetchRule): string {
  if (between === undefined && days === undefined) return 'always';
  return [...(between === undefined ? [] : [between]), ...(days === undefined ? [] : [`on ${days.join(',')}`])].join(
    ' ',
  );
}

export function lastText({ done }: RuleProgress): string {
  const last = done.find(({ outcome }) => outcome === 'fetched');
  return last === undefined ? '' : `${last.name}, ${formatTime(last.at)}`;
}

/** What keeps a rule from fetching, or what it fetches. */
export function waitsText(
  { progress }: ListedRule,
  { isOpen, until }: { readonly isOpen: boolean; readonly until: Date | undefined },
  isRunning: boolean,
): string {
  if (!isRunning) return 'the worker: model-rtc worker';
  if (!isOpen) return until === undefined ? 'its time' : `its time: ${formatTime(until.toISOString())}`;
  const { fetching, waiting, waits } = progress;
  if (fetching !== undefined) return `nothing: it fetches ${fetching.name}`;
  const [next] = [...waiting].sort((a, b) => a.notBefore.localeCompare(b.notBefore));
  const again = next !== undefined && next.code !== 'consent' && waits?.startsWith(`${next.name}: `) === true;
  if (again) return `${waits.replace(/\.$/, '')}; it tries again at ${formatTime(next.notBefore)}`;
  return waits ?? 'the worker to look';
}
