import type { ManifestFile, ModelEntry } from '@model-rtc/protocol';
import type { Availability, CheckResult, KnownWorker, Lineage, RegistryEntry } from '@model-rtc/registry';

/** All that is known of one model. */
export interface ModelFacts {
  readonly entry: ModelEntry;
  /** The model on this machine, when it is here. */
  readonly here?: RegistryEntry | undefined;
  /** Which name of the model the reference was. */
  readonly resolvedBy?: string | undefined;
  /** Who knows the model by the reference. */
  readonly namedBy?: 'worker' | 'client' | undefined;
  /** Another model, which has the same name on this machine. */
  readonly otherHere?: string | undefined;
  /** The worker that answered; undefined when this machine did. */
  readonly from?: KnownWorker | undefined;
  readonly resumeCommand?: string | undefined;
  /** Whether a runner of the worker that answered can resume this interrupted training. */
  readonly resumesThere?: boolean | undefined;
  readonly availability: readonly Availability[];
  /** Undefined when no machine that has them was asked. */
  readonly files?: readonly ManifestFile[] | undefined;
  readonly check?: CheckResult | undefined;
  readonly lineage?: Lineage | undefined;
}
