import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { listFolder, mapLimit, ownBytes } from '@model-rtc/files';
import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { FormerAlias, RegistryIndex, StoredEntry } from '../entry/types.ts';
import { createLineageIndex, type LineageIndex } from './lineage.ts';
import { findOnlyCopies } from './only-copies.ts';
import { shortName } from './remove-model.ts';
import type { CleanCandidate, CleanOptions, CleanPlan, KeptFolder } from './types.ts';

/** Folders read at once, with several files each. */
const MODELS_AT_ONCE = 8;

/** A model that may go and why, or why it stays after all. */
interface Judged {
  readonly stored: StoredEntry;
  readonly reason: string;
  readonly spared: boolean;
}

/** What cleaning would remove: versions that lost their alias and, with `unused`, models that nobody ever named. */
export async function planCleaning(context: RegistryContext, options: CleanOptions): Promise<CleanPlan> {
  const known = await context.index.read();
  const lineage = createLineageIndex(known);
  const judged = [
    ...judgeFormer(known, lineage, options, context.now()),
    ...(options.unused === true ? judgeUnused(known, lineage, options, context.now()) : []),
  ];
  const verdicts: Judged[] = [];
  const leaving = new Set<Digest>();
  for (const verdict of judged) {
    const { stored } = verdict;
    const reasonToStay = verdict.spared ? undefined : await neededReason(context, known, stored, options, leaving);
    const spared = verdict.spared || reasonToStay !== undefined;
    if (!spared && stored.digest !== undefined) leaving.add(stored.digest);
    verdicts.push({ stored, spared, reason: reasonToStay ?? verdict.reason });
  }
  const shown = await mapLimit(verdicts, MODELS_AT_ONCE, async (verdict) => await toCandidate(context, verdict));
  const listed = (spared: boolean) => shown.filter((_, place) => verdicts[place]?.spared === spared);
  return { remove: listed(false), spared: listed(true), kept: await listKept(context, known) };
}

async function toCandidate({ paths, show }: RegistryContext, { stored, reason }: Judged): Promise<CleanCandidate> {
  const freesBytes = await ownBytes(join(paths.models, stored.folder));
  return { entry: await show(stored), reason, freesBytes };
}

/** A model of a watched folder would be found again, and one that is training is still being written. */
function canGo({ alias, digest, foundIn }: StoredEntry): boolean {
  return alias === undefined && digest !== undefined && foundIn === undefined;
}

function judgeFormer(
  known: RegistryIndex,
  lineage: LineageIndex,
  { keep = 0, olderThanMs = 0 }: CleanOptions,
  now: Date,
): Judged[] {
  return [...byLastAlias(known)].flatMap(([alias, versions]) =>
    versions.map(({ stored, until }, place): Judged => {
      const successor = known.byAlias.get(alias);
      const went = successor === undefined ? 'was taken from it' : `went to ${successor.id}`;
      const since = `"${alias}" ${went} on ${day(until)}`;
      if (place < keep) return { stored, spared: true, reason: `--keep ${keep} keeps it: ${since}` };
      if (isYounger(until, olderThanMs, now))
        return { stored, spared: true, reason: `--older-than keeps it: ${since}` };
      return { stored, spared: false, reason: `${since}${childrenNote(lineage, stored)}` };
    }),
  );
}

/** Models that lost their alias, grouped by it; the last to lose it first. */
function byLastAlias(known: RegistryIndex): Map<FormerAlias['alias'], { stored: StoredEntry; until: string }[]> {
  const groups = new Map<FormerAlias['alias'], { stored: StoredEntry; until: string }[]>();
  for (const stored of known.byId.values()) {
    const last = stored.formerAliases.at(-1);
    if (last === undefined || !canGo(stored)) continue;
    groups.set(last.alias, [...(groups.get(last.alias) ?? []), { stored, until: last.until }]);
  }
  for (const versions of groups.values()) versions.sort((a, b) => (a.until < b.until ? 1 : -1));
  return groups;
}

function judgeUnused(
  known: RegistryIndex,
  lineage: LineageIndex,
  { olderThanMs = 0 }: CleanOptions,
  now: Date,
): Judged[] {
  const unused = [...known.byId.values()].filter(
    (stored) =>
      canGo(stored) &&
      stored.formerAliases.length === 0 &&
      stored.tags.length === 0 &&
      stored.notes === undefined &&
      stored.name === undefined &&
      lineage.childrenOf(stored).length === 0,
  );
  return unused.map((stored): Judged => {
    const added = stored.importedAt ?? stored.downloadedAt ?? stored.completedAt ?? stored.createdAt;
    const since = `nobody has named, tagged or noted it${added === undefined ? '' : ` since ${day(added)}`}`;
    if (added !== undefined && isYounger(added, olderThanMs, now))
      return { stored, spared: true, reason: `--older-than keeps it: ${since}` };
    return { stored, spared: false, reason: since };
  });
}

async function neededReason(
  context: RegistryContext,
  known: RegistryIndex,
  stored: StoredEntry,
  { needed = [] }: CleanOptions,
  leaving: ReadonlySet<Digest>,
): Promise<string | undefined> {
  const [only] = await findOnlyCopies(context, known, stored, needed, leaving);
  if (only === undefined) return undefined;
  return `the unfinished transfer of model ${shortName(only.transferOf)} needs chunks that only it has here`;
}

function childrenNote(lineage: LineageIndex, stored: StoredEntry): string {
  const children = lineage.childrenOf(stored).length;
  if (children === 0) return '';
  return children === 1 ? '; 1 model was made from it' : `; ${children} models were made from it`;
}

function isYounger(time: string, ageMs: number, now: Date): boolean {
  return now.getTime() - Date.parse(time) < ageMs;
}

function day(time: string): string {
  return time.slice(0, 10);
}

/**
 * Folders with the kept files of deleted models. They belong to the person now, so nothing here removes them. A folder that
 * was imported again is not listed: it holds the originals of a model.
 */
async function listKept({ paths }: RegistryContext, known: RegistryIndex): Promise<KeptFolder[]> {
  const names = (await listFolder(paths.kept)).map(({ name }) => name);
  const root = await realpath(paths.kept).catch(() => paths.kept);
  const originals = [...known.byId.values()].map(({ originalPath = '' }) => `${originalPath}${sep}`);
  const left = names.filter((name) => !originals.some((original) => original.startsWith(join(root, name) + sep)));
  return await mapLimit(left.sort(), MODELS_AT_ONCE, async (name) => {
    const path = join(paths.kept, name);
    return { path, bytes: await ownBytes(path) };
  });
}
