import {
  type Alias,
  aliasSchema,
  type Digest,
  type DisplayStatus,
  type ModelEntry,
  modelEntrySchema,
} from '@model-rtc/protocol';
import * as z from 'zod';

/** One name, so that a folder never lies outside `models/`. */
export const folderNameSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}_[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);

/** A time during which a model had an alias that it has no more. */
export const formerAliasSchema = z.object({
  alias: aliasSchema,
  /** Not known of models that were named before version 2. */
  since: z.iso.datetime().optional(),
  until: z.iso.datetime(),
});

export type FormerAlias = z.infer<typeof formerAliasSchema>;

/** Names remembered for one model; the oldest goes first. */
export const MAX_FORMER_ALIASES = 64;

/** An entry as it is stored: what agents tell each other, and what only this machine knows. */
export const storedEntrySchema = modelEntrySchema.omit({ displayStatus: true, partialBytes: true }).extend({
  folder: folderNameSchema,
  linked: z.boolean(),
  originalPath: z.string().min(1).max(4096).optional(),
  /** When the model got the alias that it has. */
  aliasSince: z.iso.datetime().optional(),
  formerAliases: z.array(formerAliasSchema).max(MAX_FORMER_ALIASES).default([]),
  /** The watched or read-only folder in which a worker found it, absolute. */
  foundIn: z.string().min(1).max(4096).optional(),
  /** For an interrupted run: the command that goes on with it, to be run in its folder. */
  resumeCommand: z.string().min(1).max(4096).optional(),
});

export type StoredEntry = z.infer<typeof storedEntrySchema>;

/** The models of this machine, by all that names them. Never changed: each change makes a new one. */
export interface RegistryIndex {
  readonly byId: ReadonlyMap<string, StoredEntry>;
  readonly byDigest: ReadonlyMap<Digest, StoredEntry>;
  readonly byAlias: ReadonlyMap<Alias, StoredEntry>;
  readonly byFolder: ReadonlyMap<string, StoredEntry>;
  readonly interrupted: readonly string[];
}

/** What is done to an index: entries taken out by id first, then entries put in or replaced. */
export interface IndexChange {
  readonly remove?: readonly string[] | undefined;
  readonly put?: readonly StoredEntry[] | undefined;
}

/** A model of this machine: what agents tell each other, and what only this machine knows. */
export interface RegistryEntry extends ModelEntry {
  /** The model's folder, absolute. Its files lie in it under their own names. */
  readonly localPath: string;
  /** The folder or file that the model was imported from, absolute and without links. */
  readonly originalPath?: string | undefined;
  /** Whether the files in the folder are symbolic links to the originals. */
  readonly linked: boolean;
  readonly aliasSince?: string | undefined;
  /** What it was called before, oldest first. */
  readonly formerAliases: readonly FormerAlias[];
  /** The watched or read-only folder in which a worker found it, absolute. */
  readonly foundIn?: string | undefined;
  /** Of an interrupted run: what goes on with it, when it is run in its folder. */
  readonly resumeCommand?: string | undefined;
  readonly displayStatus: DisplayStatus;
}

export type ResolvedBy = 'id' | 'alias' | 'digest' | 'path';

export interface ResolvedModel {
  readonly entry: RegistryEntry;
  readonly resolvedBy: ResolvedBy;
}

export interface Resolved {
  readonly stored: StoredEntry;
  readonly resolvedBy: ResolvedBy;
}

export interface ResolveOptions {
  /** Whether the reference may be a path of this machine; it may when left out. */
  readonly paths?: boolean | undefined;
}
