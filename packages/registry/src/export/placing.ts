import type { Digest } from '@model-rtc/protocol';
import type { SourceFile } from './place-file.ts';

/** A model on its way into another tool's store. */
export interface Placing {
  /** The other tool's folder. Absolute. */
  readonly folder: string;
  /** What the other tool is to call it, checked. */
  readonly name: string;
  readonly digest: Digest;
  /** Its type, for a tool that shows one. */
  readonly type: string;
  readonly files: readonly SourceFile[];
  readonly overwrite: boolean;
  /** @throws ModelRtcError `cancelled` */
  readonly throwIfCancelled: () => void;
  /** Puts one file at a path, where it appears whole, and counts how. */
  readonly place: (file: SourceFile, to: string) => Promise<void>;
}

export interface PlacedModel {
  readonly path: string;
  readonly leftOut: readonly string[];
  /** Whether the name meant this model only from now on. */
  readonly isNew: boolean;
}
