import type { Hub, HubLicense, HubModel, HubReference } from '@model-rtc/hub';
import type { Alias, ModelRtcError } from '@model-rtc/protocol';
import type {
  ConvertedFile,
  ConvertFormat,
  NamePair,
  RegistryEntry,
  SkippedPath,
  TakenNames,
  ValidatedModel,
  ValidateOptions,
} from '@model-rtc/registry';
import type { PullModelOptions, PullModelResult } from '../pull-model.ts';
import type { RemoteWorker } from '../remote-worker.ts';
import type { SpeedOptions } from '../transfer-speed.ts';
import type { FilePatterns } from './choose-files.ts';

/** What happens when another model has the name or the alias: it loses them, the new one gets others, or nothing is fetched. */
export type NameDecision = 'overwrite' | 'rename' | 'cancel';

/** What is known before anything is fetched. */
export interface FoundOnHub {
  readonly model: HubModel;
  readonly family: string | undefined;
  /** The files that will be fetched. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly leftOut: readonly SkippedPath[];
  readonly totalBytes: number;
  /** On the disk of this machine's models. */
  readonly freeBytes: number;
}

/** Which model to take from a hub, and the answers to what it asks. A function asks a person; it throws when nobody is there. */
export interface TakeOptions
  extends FilePatterns,
    SpeedOptions,
    Pick<PullModelOptions, 'signal' | 'onProgress' | 'safeOnly'> {
  readonly hub: Hub;
  readonly reference: HubReference;
  /** Workers that may have files of the repository, and give them together with the hub. */
  readonly workers?: readonly RemoteWorker[] | undefined;
  /** Its full name here; made from the repository's when left out. */
  readonly name?: string | undefined;
  /** Made from the name when left out. */
  readonly alias?: Alias | undefined;
  /** Families of models that may be taken; any when left out. */
  readonly families?: readonly string[] | undefined;
  /** Whether a person accepts the license. */
  readonly acceptLicense: true | ((license: LicenseToAccept) => Promise<boolean>);
  readonly ifTaken: NameDecision | ((taken: TakenNames, wanted: NamePair) => Promise<NameDecision>);
  /** Asks for an access token, after the hub wanted one, and opens the hub with it. Without it, the hub's refusal is thrown. */
  readonly askToken?: ((refusal: ModelRtcError) => Promise<Hub>) | undefined;
  /** Chooses one of several sets of weights. @returns patterns for `include`. Without it, the error that lists them is thrown. */
  readonly chooseWeights?: ((several: ModelRtcError) => Promise<readonly string[]>) | undefined;
  readonly now?: (() => Date) | undefined;
  /** Convert the files once they are here; the converted model takes the place of the fetched one. */
  readonly convert?: ConvertFormat | undefined;
  /** Have the model validated once it is here, without hashing again: its bytes were verified as they came. The version of model-rtc is kept with the results. */
  readonly validate?: Pick<ValidateOptions, 'version' | 'forward'> | undefined;
  /** Called before anything is asked or fetched; not when the model is here already. */
  readonly onFound?: ((found: FoundOnHub) => void) | undefined;
}

/** A license as its repository states it. */
export interface LicenseToAccept extends HubLicense {
  readonly repo: string;
  /** In a few words, as an entry keeps it: `apache-2.0`; undefined when the repository names none. */
  readonly text: string | undefined;
  /** Where its text or the repository is. */
  readonly page: string;
}

export interface TakenFromHub {
  readonly entry: RegistryEntry;
  /** `already_there` when nothing was fetched, since the same commit or content is here. */
  readonly outcome: 'imported' | 'already_there';
  readonly leftOut: readonly SkippedPath[];
  /** What was converted, if that was asked for; empty when there was nothing to convert. */
  readonly converted?: readonly ConvertedFile[] | undefined;
  /** What a validation found, if that was asked for and the model is new here. */
  readonly validated?: ValidatedModel | undefined;
  /** Models that had the name or the alias until now. */
  readonly renamedFrom: readonly string[];
  /** Undefined when not even the list of files was asked for. */
  readonly report?: PullModelResult | undefined;
}
