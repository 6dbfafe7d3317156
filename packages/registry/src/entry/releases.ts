import { createHash } from 'node:crypto';
import { MAX_RELEASES, type Release } from '@model-rtc/protocol';
import type { RegistryIndex, StoredEntry } from './types.ts';

/** How a release is written in one word: `fast-whisper/tiny@fp16`. */
function releaseText({ group, model, version }: Release): string {
  return `${group}/${model}@${version}`;
}

export function isSameRelease(a: Release, b: Release): boolean {
  return a.group === b.group && a.model === b.model && a.version === b.version;
}

/** Releases with others added; what is said of one that was there before is replaced. */
export function withReleases(known: readonly Release[] = [], added: readonly Release[] = []): Release[] {
  const others = known.filter((release) => !added.some((one) => isSameRelease(one, release)));
  return [...others, ...added].slice(-MAX_RELEASES);
}

export function withoutReleases(known: readonly Release[] = [], gone: readonly Release[]): Release[] {
  return known.filter((release) => !gone.some((one) => isSameRelease(one, release)));
}

/** An entry with other releases. Its full name follows, where that is the name of one. */
export function released(stored: StoredEntry, releases: readonly Release[]): StoredEntry {
  const names = releases.map(releaseText);
  const wasNamedSo = stored.releases?.some((release) => releaseText(release) === stored.name) === true;
  const name = stored.name === undefined || (wasNamedSo && !names.includes(stored.name)) ? names[0] : stored.name;
  return withNames({ ...stored, ...(name === undefined ? {} : { name }) }, releases);
}

/** An entry with these releases and no others. */
export function withNames(stored: StoredEntry, releases: readonly Release[]): StoredEntry {
  const { releases: _, ...rest } = stored;
  return releases.length === 0 ? rest : { ...rest, releases: [...releases] };
}

/** The model that has a release, the one that came last where a crash left two. */
export function releaseOwner(index: RegistryIndex, wanted: Release): StoredEntry | undefined {
  return newest(index, (release) => isSameRelease(release, wanted));
}

/** The model that this machine took from the manifest of this hash. */
export function manifestOwner(index: RegistryIndex, manifest: string): StoredEntry | undefined {
  return newest(index, (release) => release.manifest === manifest);
}

/** The models that a word names: `group/model@version`, or `group/model` of any version. */
export function releasedAs(index: RegistryIndex, ref: string): StoredEntry[] {
  if (!ref.includes('/')) return [];
  const exact = newest(index, (release) => releaseText(release) === ref);
  if (exact !== undefined) return [exact];
  return [...index.byId.values()].filter(({ releases = [] }) =>
    releases.some(({ group, model }) => `${group}/${model}` === ref),
  );
}

function newest(index: RegistryIndex, isWanted: (release: Release) => boolean): StoredEntry | undefined {
  const owners = [...index.byId.values()].filter(({ releases = [] }) => releases.some(isWanted));
  return owners.sort((a, b) => (b.downloadedAt ?? '').localeCompare(a.downloadedAt ?? ''))[0];
}

/** The longest parts of a folder's name, so that both fit with a mark that tells apart what was shortened. */
const MAX_TYPE_CHARS = 50;
const MAX_ID_CHARS = 60;

/**
 * The folder of a release in `models/`, which needs no link and stays when its content changes: `fast-whisper--tiny_fp16`. A name that
 * some file system cannot have, or that others may fall together with, gets a mark.
 */
export function releaseFolder({ group, model, version }: Release): string {
  const isWord = (name: string): boolean => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
  const isPlain = isWord(group) && isWord(model) && /^[a-z0-9][a-z0-9.-]*$/.test(version) && !version.endsWith('.');
  // Two dashes end a group that has one itself, so that `a-b/c` and `a/b-c` are apart.
  const gap = isPlain && group.includes('-') ? '--' : '-';
  const type = `${group}${gap}${model}`
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '');
  const id = version
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  const isShort = type.length <= MAX_TYPE_CHARS && id.length <= MAX_ID_CHARS;
  if (isPlain && isShort) return `${type}_${id}`;
  const mark = createHash('sha256')
    .update(JSON.stringify([group, model, version]))
    .digest('hex')
    .slice(0, 8);
  return `${type.slice(0, MAX_TYPE_CHARS) || 'model'}_${id.slice(0, MAX_ID_CHARS) || 'version'}-${mark}`;
}
