import type { Digest } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';
import type { NeededChunks } from '../manage/types.ts';

/** Why a model is never removed to make room. */
export type Spared = 'alias' | 'pin' | 'release' | 'linked' | 'training' | 'in_use' | 'needed';

export interface RoomOptions {
  /** The most that the models of this machine may take. */
  readonly capBytes: number;
  /** The model that comes. */
  readonly bytes: number;
  /** What other transfers of this machine are bringing. */
  readonly comingBytes?: number | undefined;
  /** What unfinished transfers need of the models here. */
  readonly needed?: readonly NeededChunks[] | undefined;
  /** Says what would go, and removes nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface EvictedModel {
  readonly id: string;
  readonly digest: Digest | undefined;
  readonly modelType: string;
  readonly bytes: number;
  /** ISO 8601. */
  readonly lastUsedAt: string;
}

export interface RoomMade {
  readonly evicted: readonly EvictedModel[];
  /** What the models take now, without the one that comes. */
  readonly usedBytes: number;
}

/** Keeps the models of this machine below a size. */
export interface Eviction {
  /**
   * Removes models that were not used for long so that another one fits below the cap. A model with an alias, a pin or the name of a
   * release stays, as does one that is read, trained, or not copied by this tool.
   * @throws ModelRtcError `storage_full` when it would not fit however much may go; then nothing went
   */
  makeRoom(options: RoomOptions): Promise<RoomMade>;
  /** When a model was last read, or came here. */
  lastUsedAt(entry: Pick<RegistryEntry, 'digest' | 'createdAt' | 'downloadedAt' | 'importedAt'>): Promise<Date>;
  /** Notes that a model is being used now. It costs nothing to call it often. */
  noteUse(digest: Digest): Promise<void>;
  /** Keeps a model from being removed to make room, by any process. @returns how to end that */
  holdModel(digest: Digest): Promise<() => Promise<void>>;
}
