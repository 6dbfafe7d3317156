import { type Alias, aliasSchema, type Digest, type DisplayStatus, modelEntrySchema } from '@model-rtc/protocol';
import * as z from 'zod';

/** One name, so that a folder never lies outside `models/`. */
export const folderNameSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}_[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);

/** A time during which a model had an alias that it no longer has. */
export const formerAliasSchema = z.object({
  alias: aliasSchema,
  /** Unknown for models named before version 2. */
  since: z.iso.datetime().optional(),
  until: z.iso.datetime(),
});

export type FormerAlias = z.infer<typeof formerAliasSchema>;

/** Aliases remembered for one model; the oldest goes first. */
export const MAX_FORMER_ALIASES = 64;

/** What was said of a model's files at its import; see `FileOptions`. */
const importedWithSchema = z.object({
  withTrainingState: z.boolean().optional(),
  asOne: z.boolean().optional(),
  asIs: z.boolean().optional(),
  include: z.array(z.string().min(1).max(1024)).max(64).optional(),
  exclude: z.array(z.string().min(1).max(1024)).max(64).optional(),
  followLinks: z.boolean().optional(),
});

/** What one check of a model found, see `CheckResult` of formats. */
const checkResultSchema = z.object({
  check: z.string().min(1).max(64),
  outcome: z.enum(['passed', 'failed', 'warning', 'skipped']),
  detail: z.string().max(4096).optional(),
});

/** What the last validation of a model found. */
export const validationSchema = z.object({
  at: z.iso.datetime(),
  /** The version of model-rtc that looked; later ones may find more. */
  version: z.string().min(1).max(64),
  /** Whether it read only a part of the bytes. */
  quick: z.boolean().optional(),
  results: z.array(checkResultSchema).max(64),
});
export type ModelValidation = z.infer<typeof validationSchema>;

/** A stored entry: what agents tell each other, and what only this machine knows. */
export const storedEntrySchema = modelEntrySchema.omit({ displayStatus: true, partialBytes: true }).extend({
  /** The name of the model's folder in `models/`. */
  folder: folderNameSchema,
  /** Whether the files in the folder are symbolic links to the originals. */
  linked: z.boolean(),
  /** The folder or file that the model was imported from, absolute and without links. */
  originalPath: z.string().min(1).max(4096).optional(),
  /** When the model got its alias. */
  aliasSince: z.iso.datetime().optional(),
  /** Oldest first. */
  formerAliases: z.array(formerAliasSchema).max(MAX_FORMER_ALIASES).default([]),
  /** The watched or read-only folder in which a worker found it, absolute. */
  foundIn: z.string().min(1).max(4096).optional(),
  /** Where the files of a linked model are read in place, absolute: the data folder's file system has no links. */
  filesIn: z.string().min(1).max(4096).optional(),
  /** Which check for what models lack has looked at it; absent for models of before there was one. */
  completenessCheck: z.number().int().min(0).optional(),
  importedWith: importedWithSchema.optional(),
  /** A person keeps it from being removed to make room. */
  pinned: z.boolean().optional(),
  /** The license that a person of this machine agreed to when they took the model from a hub, and when. */
  licenseAccepted: z.object({ license: z.string().min(1).max(4096), at: z.iso.datetime() }).optional(),
  /** Absent for a model that was never validated, and after its files were replaced. */
  validation: validationSchema.optional(),
  /** The command that resumes an interrupted run; run it in the run's folder. */
  resumeCommand: z.string().min(1).max(4096).optional(),
});

/** Grows when the check finds more than it did, so that models that were registered before are looked at again. */
export const COMPLETENESS_CHECK = 2;

export type StoredEntry = z.infer<typeof storedEntrySchema>;

/** The models of this machine, by id, digest, alias and folder. Immutable: each change makes a new index. */
export interface RegistryIndex {
  readonly byId: ReadonlyMap<string, StoredEntry>;
  readonly byDigest: ReadonlyMap<Digest, StoredEntry>;
  readonly byAlias: ReadonlyMap<Alias, StoredEntry>;
  readonly byFolder: ReadonlyMap<string, StoredEntry>;
  readonly interrupted: readonly string[];
}

/** A change of an index. It first removes entries by id, then adds or replaces others. */
export interface IndexChange {
  readonly remove?: readonly string[] | undefined;
  readonly put?: readonly StoredEntry[] | undefined;
}

/** A model of this machine: what agents tell each other, and what only this machine knows. */
export interface RegistryEntry extends Omit<StoredEntry, 'folder'> {
  /** The model's folder, absolute. Its files lie in it under their own names. */
  readonly localPath: string;
  readonly displayStatus: DisplayStatus;
}

export type ResolvedBy = 'id' | 'alias' | 'digest' | 'name' | 'path';

export interface ResolvedModel {
  readonly entry: RegistryEntry;
  readonly resolvedBy: ResolvedBy;
}

export interface Resolved {
  readonly stored: StoredEntry;
  readonly resolvedBy: ResolvedBy;
}

export interface ResolveOptions {
  /** Whether the reference may be a path of this machine. True by default. */
  readonly paths?: boolean | undefined;
}
