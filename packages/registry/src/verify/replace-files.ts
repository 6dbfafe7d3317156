import { type Digest, ModelRtcError, manifestDigest, readManifest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireModel } from '../entry/resolve.ts';
import type { RegistryEntry, StoredEntry } from '../entry/types.ts';
import { type EntryDraft, placeModel } from '../import/place-model.ts';
import { modelModes, requireStaged, settleFiles } from '../import/settle-files.ts';
import type { ReplaceFilesOptions } from './types.ts';

/** Replaces a damaged model's files with whole ones. Everything else about the model stays. */
export async function replaceFiles(
  context: RegistryContext,
  digest: Digest,
  { filesFolder, manifest: given }: ReplaceFilesOptions,
): Promise<RegistryEntry> {
  const manifest = await readManifest(given);
  if (manifestDigest(manifest) !== digest) {
    const sentence = 'The files for the repair belong to another model; nothing was changed.';
    throw new ModelRtcError('verification_failed', sentence, { details: { digest } });
  }
  const existing = await requireModel(context, digest);
  requireStaged(context.paths.staging, filesFolder);
  const { stored } = await placeModel(context, {
    staged: filesFolder,
    digest,
    manifest,
    stats: await settleFiles(filesFolder, manifest, await modelModes(context.paths)),
    draft: draftOf(existing),
    alias: undefined,
    ifExists: 'overwrite',
    linked: false,
    originalPath: undefined,
  });
  return await context.show(stored);
}

/** Everything about a model except its names, the place of its files, and what was found in these. */
export function draftOf(stored: StoredEntry): EntryDraft {
  const { id: _, digest: __, alias: ___, aliasSince: _a, formerAliases: _b, size: _c, fileCount: _d, ...rest } = stored;
  const { folder: _e, linked: _f, originalPath: _g, foundIn: _h, resumeCommand: _i, importedWith: _j, ...more } = rest;
  const { validation: _k, ...draft } = more;
  return draft;
}
