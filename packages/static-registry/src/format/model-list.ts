import { type Digest, isDigest } from '@model-rtc/protocol';
import { MAX_ALIAS_STEPS } from '../limits.ts';
import { registryError } from './errors.ts';
import { isReadableName, type ModelVersion, readings, versionText } from './versions.ts';

type JsonMap = Readonly<Record<string, unknown>>;

/** What `models.json` says of a version. */
export type ListedVersion = ModelVersion &
  (
    | {
        readonly kind: 'version';
        /** The SHA-256 of its manifest. */
        readonly hash: Digest;
        /** The model's digest, where the publisher says it. */
        readonly digest: Digest | undefined;
        /** Bytes of all files, where the publisher says it. */
        readonly size: number | undefined;
        readonly metadata: JsonMap;
      }
    /** Another name for a version of the same model. */
    | { readonly kind: 'alias'; readonly target: string }
  );

/** A manifest that a version had before another content took its place. */
export interface ReplacedManifest {
  readonly hash: Digest;
  /** When it was replaced, ISO 8601. */
  readonly at: string;
}

/** A version with what its aliases lead to. */
export interface FoundVersion extends Omit<ListedVersion & { kind: 'version' }, 'kind'> {
  /** The alias that was asked for; `version` is what it leads to. */
  readonly alias: string | undefined;
}

/**
 * `models.json`: `{group: {model: {version: {hash, metadata}}}}`. Whatever other tools put there is left alone and kept: what is not
 * a map where a group, model or version is expected is no group, model or version.
 */
export class ModelList {
  /** As it was read, unknown fields and all: whoever writes a changed list begins with this. */
  readonly raw: JsonMap;

  private constructor(raw: JsonMap) {
    this.raw = raw;
  }

  /** @throws ModelRtcError `invalid_model` when it is not a list of models at all */
  static parse(text: string): ModelList {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw registryError('registry_invalid', `${NO_LIST} It is not JSON.`, {}, error);
    }
    if (!isMap(value)) throw registryError('registry_invalid', `${NO_LIST} It is not a map of groups.`);
    return new ModelList(value);
  }

  static empty(): ModelList {
    return new ModelList({});
  }

  groups(): string[] {
    return namesIn(this.raw).filter((group) => this.models(group).length > 0);
  }

  /** The names of a group's models; none when there is no such group. */
  models(group: string): string[] {
    return namesIn(own(this.raw, group)).filter((model) => this.versions(group, model).length > 0);
  }

  /** A model's versions and aliases, in the order of the list; none when there is no such model. */
  versions(group: string, model: string): ListedVersion[] {
    const versions = own(own(this.raw, group), model);
    return namesIn(versions).flatMap((version) => {
      const listed = listedVersion({ group, model, version }, own(versions, version));
      return listed === undefined ? [] : [listed];
    });
  }

  /** The versions and aliases of all models, in the order of the list. */
  *all(): Generator<ListedVersion> {
    for (const group of namesIn(this.raw)) {
      for (const model of namesIn(own(this.raw, group))) yield* this.versions(group, model);
    }
  }

  /** What a version was before, as far as publishers noted it: somebody may be fetching it still. */
  replaced({ group, model, version }: ModelVersion): ReplacedManifest[] {
    const listed = own(own(own(this.raw, group), model), version)?.replaced;
    return (Array.isArray(listed) ? listed : []).flatMap((item: unknown) => {
      const { hash, at } = isMap(item) ? item : {};
      const isKnown = typeof hash === 'string' && isDigest(hash) && typeof at === 'string';
      return isKnown && !Number.isNaN(Date.parse(at)) ? [{ hash, at }] : [];
    });
  }

  /**
   * The version that is asked for, or what it is an alias for.
   * @throws ModelRtcError `not_found` with what there is instead, `invalid_model` for aliases that lead nowhere
   */
  find(asked: ModelVersion): FoundVersion {
    const { group, model } = asked;
    const passed = new Set<string>();
    for (let version = asked.version; ; ) {
      const listed = this.#require({ group, model, version }, asked);
      if (listed.kind === 'version') {
        const { kind: _, ...found } = listed;
        return { ...found, alias: version === asked.version ? undefined : asked.version };
      }
      if (passed.has(version) || passed.size >= MAX_ALIAS_STEPS) throw endless(asked, [...passed]);
      passed.add(version);
      version = listed.target;
    }
  }

  /**
   * The version that one word names, such as `fast-whisper/tiny@fp16`. Without a version it is the only one, or `latest`.
   * @throws ModelRtcError `not_found`, with the versions that there are; `invalid_model` as `find`
   */
  resolve(text: string): FoundVersion {
    for (const { group, model, version } of readings(text)) {
      const versions = this.versions(group, model);
      if (versions.length === 0) continue;
      if (version !== undefined) return this.find({ group, model, version });
      const latest = versions.find((listed) => listed.version === 'latest');
      const only = latest ?? (versions.length === 1 ? versions[0] : undefined);
      if (only !== undefined) return this.find(only);
      throw registryError(
        'version_not_found',
        `"${text}" has several versions: ${someOf(versions.map(({ version }) => version))}. Add one of them: ${text}@${versions[0]?.version}.`,
        { group, model },
      );
    }
    throw registryError('model_not_found', `The registry has no model "${text}". Name it as GROUP/MODEL@VERSION.`);
  }

  /** The first version whose publisher says that it has this digest. */
  withDigest(digest: Digest): FoundVersion | undefined {
    for (const listed of this.all()) {
      if (listed.kind !== 'version' || listed.digest !== digest) continue;
      const { kind: _, ...found } = listed;
      return { ...found, alias: undefined };
    }
    return undefined;
  }

  #require(wanted: ModelVersion, asked: ModelVersion): ListedVersion {
    const { group, model, version } = wanted;
    const versions = this.versions(group, model);
    const found = versions.find((listed) => listed.version === version);
    if (found !== undefined) return found;
    if (version !== asked.version) {
      throw registryError(
        'registry_invalid',
        `The registry's models.json is broken: ${versionText(asked)} is an alias for ${version}, which is not there. Tell the publisher.`,
        asked,
      );
    }
    if (versions.length > 0) {
      const sentence = `${group}/${model} has no version "${version}". It has: ${someOf(versions.map(({ version }) => version))}.`;
      throw registryError('version_not_found', sentence, asked);
    }
    const models = this.models(group);
    if (models.length > 0) {
      const sentence = `The registry has no model "${model}" in group "${group}". It has: ${someOf(models)}.`;
      throw registryError('model_not_found', sentence, asked);
    }
    const groups = this.groups();
    const instead = groups.length === 0 ? 'It is empty.' : `It has: ${someOf(groups)}.`;
    throw registryError('group_not_found', `The registry has no group "${group}". ${instead}`, asked);
  }
}

const NO_LIST = "The registry's models.json is not a list of models. Check the registry's address.";
/** How many names an error shows. */
const SHOWN_NAMES = 10;

function listedVersion(names: ModelVersion, value: JsonMap | undefined): ListedVersion | undefined {
  if (value === undefined) return undefined;
  const { hash, alias, digest, size, metadata } = value;
  if (typeof hash === 'string' && isDigest(hash)) {
    const known = typeof digest === 'string' && isDigest(digest) ? digest : undefined;
    const bytes = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined;
    return { ...names, kind: 'version', hash, digest: known, size: bytes, metadata: isMap(metadata) ? metadata : {} };
  }
  return typeof alias === 'string' ? { ...names, kind: 'alias', target: alias } : undefined;
}

function endless(asked: ModelVersion, passed: readonly string[]): Error {
  const round = passed.slice(0, 4).join(' -> ');
  return registryError(
    'registry_invalid',
    `The registry's models.json is broken: the aliases of ${versionText(asked)} lead round in a circle (${round}). Tell the publisher.`,
    asked,
  );
}

function someOf(names: readonly string[]): string {
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  return `${names.slice(0, SHOWN_NAMES).join(', ')}${more}`;
}

function namesIn(map: JsonMap | undefined): string[] {
  return map === undefined
    ? []
    : Object.keys(map).filter((name) => isReadableName(name) && own(map, name) !== undefined);
}

/** A member that is itself a map. Not one that every object inherits: a group may be called `constructor`. */
function own(map: JsonMap | undefined, name: string): JsonMap | undefined {
  if (map === undefined || !Object.hasOwn(map, name)) return undefined;
  const value = map[name];
  return isMap(value) ? value : undefined;
}

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
