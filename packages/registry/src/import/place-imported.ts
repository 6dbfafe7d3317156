import { type Digest, type Manifest, type ModelSource, manifestDigest, suggestAlias } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { type Conversion, withConversion } from '../convert/converted-entry.ts';
import { nearestFreeAlias } from '../entry/aliases.ts';
import type { StoredEntry } from '../entry/types.ts';
import { type EntryAdditions, joinAdditions, requireNotOwnParent } from './additions.ts';
import type { WithoutLinks } from './link-files.ts';
import { type EntryDraft, type LookedInto, type Placed, type Placement, placeModel } from './place-model.ts';
import type { ScannedModel } from './scanned-model.ts';
import type { ImportOptions, ImportResult } from './types.ts';

/** As many as an id has. */
const ID_CHARS = 8;

export interface ImportWork extends ImportOptions {
  /** Where a worker came upon the model, when no person imports it. */
  readonly found?:
    | {
        readonly foundIn: string;
        readonly source: ModelSource;
        /** Every folder into which links may lead; `foundIn` alone when left out. */
        readonly linksWithin?: readonly string[] | undefined;
      }
    | undefined;
  /** What to do where no symbolic links can be made; refused when left out. */
  readonly withoutLinks?: WithoutLinks | undefined;
  /** A model whose place the imported one takes, with what a person added to it. */
  readonly supersedes?: (EntryAdditions & { readonly digest: Digest | undefined }) | undefined;
}

/** How a model's files are kept. */
export type StagedFiles = Pick<Placement, 'stats' | 'linked' | 'filesIn'>;

/** Registers a model that was scanned and hashed, and whose files are staged. */
export async function placeImported(
  context: RegistryContext,
  staged: string,
  originalPath: string | undefined,
  { facts: { runName: _, ...facts }, suggestedAlias }: ScannedModel,
  hashed: StagedFiles & { readonly manifest: Manifest },
  work: ImportWork &
    LookedInto & {
      readonly additions: EntryAdditions;
      readonly conversion?: Conversion | undefined;
    },
): Promise<Placed> {
  const { alias, aliasConflict, found, ifExists, supersedes, signal } = work;
  const digest = manifestDigest(hashed.manifest);
  const additions = joinAdditions(supersedes, work.additions);
  requireNotOwnParent(digest, work.additions);
  const said: EntryDraft = {
    ...facts,
    source: found?.source ?? 'local-import',
    importedAt: context.now().toISOString(),
    name: additions.name,
    tags: additions.tags,
    notes: additions.notes,
    lineage: additions.lineage ?? facts.lineage,
    codeFiles: work.codeFiles,
    incomplete: work.incomplete,
    components: work.components,
  };
  const draft = work.conversion === undefined ? said : withConversion(said, work.conversion);
  const offeredAlias = suggestAlias(suggestedAlias ?? `${facts.modelType}-${digest.slice(0, ID_CHARS)}`);
  return await placeModel(context, {
    ...hashed,
    staged,
    digest,
    draft,
    alias,
    offeredAlias,
    firstAlias: found === undefined ? undefined : offeredAlias,
    aliasConflict,
    additions,
    ifExists,
    originalPath,
    foundIn: found?.foundIn,
    importedWith: importedWith(work),
    supersedes: supersedes?.digest,
    signal,
  });
}

/** Undefined where nothing was said. */
function importedWith(work: ImportWork): StoredEntry['importedWith'] {
  const { include = [], exclude = [], withTrainingState, asOne, asIs, followLinks } = work;
  const said = {
    ...(include.length > 0 ? { include: [...include] } : {}),
    ...(exclude.length > 0 ? { exclude: [...exclude] } : {}),
    ...(withTrainingState ? { withTrainingState } : {}),
    ...(asOne ? { asOne } : {}),
    ...(asIs ? { asIs } : {}),
    ...(followLinks ? { followLinks } : {}),
  };
  return Object.keys(said).length === 0 ? undefined : said;
}

/** What an import tells of the model that is here now. */
export async function resultOf(
  { index, show, readManifest }: RegistryContext,
  { stored, outcome }: Placed,
  manifest: Manifest,
  { suggestedAlias, skipped, followed, movedTo }: ScannedModel,
): Promise<ImportResult> {
  const known = await index.read();
  const offered = suggestAlias(suggestedAlias ?? `${stored.modelType}-${stored.id}`);
  const suggestion = stored.alias === undefined ? nearestFreeAlias(known, offered) : undefined;
  return {
    entry: await show(stored),
    // The stored one of a model that was here already may be cut into other chunks.
    manifest: outcome === 'kept' ? await readManifest(stored) : manifest,
    outcome: outcome === 'kept' ? 'already_there' : 'imported',
    suggestedAlias: suggestion,
    skipped,
    followed,
    movedTo,
  };
}
