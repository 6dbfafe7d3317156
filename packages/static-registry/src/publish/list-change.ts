import { isDeepStrictEqual } from 'node:util';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ModelList, ReplacedManifest } from '../format/model-list.ts';
import { type ModelVersion, publishedNameProblem, versionText } from '../format/versions.ts';
import { KEPT_REPLACED_MS } from '../limits.ts';

export interface PublishedVersion extends ModelVersion {
  /** The SHA-256 of the manifest. */
  readonly hash: Digest;
  /** The model's own digest. */
  readonly digest: Digest;
  /** Bytes of all files. */
  readonly size: number;
  /** What the publisher says of it. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What the model's own entry says, for what no publisher of this content has said. */
  readonly described?: Readonly<Record<string, unknown>> | undefined;
  /** Another name for it, such as `latest`, that moves here from whatever it named. */
  readonly alias?: string | undefined;
  /** Whether another content may take the place of the one that has this version. */
  readonly replace?: boolean | undefined;
}

type JsonMap = Readonly<Record<string, unknown>>;

/** @throws ModelRtcError `bad_argument` with the rule that a name breaks */
export function requirePublishable({
  group,
  model,
  version,
  alias,
}: Omit<PublishedVersion, 'hash' | 'digest' | 'size' | 'metadata'>): void {
  for (const [what, name] of Object.entries({ group, model, version, alias })) {
    const problem = name === undefined ? undefined : publishedNameProblem(name);
    if (problem !== undefined) {
      throw new ModelRtcError('bad_argument', `"${name}" cannot be published as the ${what}'s name: ${problem}.`);
    }
  }
  if (alias === version) throw new ModelRtcError('bad_argument', `"${alias}" cannot be an alias for itself.`);
}

/**
 * The list with one version more. Everything else in it stays as it is, unknown fields too.
 * @param nowMs - by the clock of the registry, from which the content that is replaced is kept for those who are fetching it
 * @returns undefined when the list says all of this already
 * @throws ModelRtcError `refused` when the version has another content, or the alias is a version of its own
 */
export function withVersion(list: ModelList, published: PublishedVersion, nowMs: number): string | undefined {
  const { group, model, version, hash, digest, size, metadata, described, alias } = published;
  requireFree(list, published);
  const known = mapIn(mapIn(mapIn(list.raw, group), model), version);
  const isSameContent = known.hash === hash;
  const said = isSameContent
    ? { ...described, ...mapIn(known, 'metadata') }
    : { ...mapIn(known, 'metadata'), ...described };
  const replaced = isSameContent ? {} : replacedBy(list, published, nowMs);
  const entry = { ...known, hash, digest, size, metadata: { ...said, ...metadata }, ...replaced };
  const versions = {
    ...mapIn(mapIn(list.raw, group), model),
    [version]: entry,
    ...(alias === undefined
      ? {}
      : { [alias]: { ...mapIn(mapIn(mapIn(list.raw, group), model), alias), alias: version } }),
  };
  const changed = { ...list.raw, [group]: { ...mapIn(list.raw, group), [model]: versions } };
  return isDeepStrictEqual(changed, list.raw) ? undefined : listText(changed);
}

/** What the version was until now, beside what it was shortly before. */
function replacedBy(
  list: ModelList,
  { group, model, version }: ModelVersion,
  nowMs: number,
): { replaced?: readonly ReplacedManifest[] } {
  const before = list.versions(group, model).find((listed) => listed.version === version);
  const kept = list.replaced({ group, model, version }).filter(({ at }) => Date.parse(at) > nowMs - KEPT_REPLACED_MS);
  const at = new Date(nowMs).toISOString();
  const all = before?.kind === 'version' ? [{ hash: before.hash, at }, ...kept] : kept;
  return all.length === 0 ? {} : { replaced: all };
}

function listText(raw: JsonMap): string {
  return `${JSON.stringify(raw, undefined, 2)}\n`;
}

/**
 * @param published - `hash` may be unknown until all is read
 * @throws ModelRtcError `refused` when the version has another content, or the alias is a version of its own
 */
export function requireFree(
  list: ModelList,
  published: Omit<PublishedVersion, 'hash' | 'size' | 'metadata'> & { hash?: Digest },
): void {
  const { group, model, version, hash, digest, alias, replace } = published;
  for (const listed of list.versions(group, model)) {
    const name = versionText(listed);
    const isOther =
      listed.kind === 'alias' ||
      (hash === undefined ? listed.digest !== undefined && listed.digest !== digest : listed.hash !== hash);
    const isTaken = listed.version === version && isOther;
    if (isTaken && replace !== true) {
      throw new ModelRtcError(
        'refused',
        listed.kind === 'alias'
          ? `${name} is an alias for ${listed.target} in this registry. Publish under another version, or pass --replace.`
          : `${name} is in this registry already, with another content. Publish under another version, or pass --replace.`,
      );
    }
    if (listed.version === alias && listed.kind === 'version') {
      throw new ModelRtcError('refused', `${name} is a version of its own, so it cannot be an alias for ${version}.`);
    }
  }
}

function mapIn(map: JsonMap, name: string): JsonMap {
  const value = Object.hasOwn(map, name) ? map[name] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : {};
}
