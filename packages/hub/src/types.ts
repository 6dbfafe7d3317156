import type { RemoteFile } from '@model-rtc/http';
import type { Digest, HubOrigin } from '@model-rtc/protocol';
import type { LocalFiles } from '@model-rtc/transfer';

/** A repository of a hub, as a person names it: `hf:ORG/NAME@REV`. */
export interface HubReference {
  /** `ORG/NAME`; some old repositories have no `ORG`. */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision?: string | undefined;
}

/** A file of a repository at one commit, with the hash that the hub knows: the SHA-256 of large files, git's of small ones. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  readonly sha256?: Digest | undefined;
  readonly gitSha1?: string | undefined;
  readonly xetHash?: string | undefined;
}

export interface HubLicense {
  /** Such as `apache-2.0`; `other` where a name and a link follow. */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly link?: string | undefined;
}

/** What a hub says of a model, at one commit. */
export interface HubModel {
  /** As the hub calls it now: a renamed repository is found by its old name too. */
  readonly repo: string;
  readonly commit: string;
  /** What a person asked for; undefined for the default branch. */
  readonly revision: string | undefined;
  readonly endpoint: string;
  readonly gated: false | 'auto' | 'manual';
  readonly isPrivate: boolean;
  readonly license: HubLicense | undefined;
  readonly architectures: readonly string[];
  readonly modelType: string | undefined;
  readonly libraryName: string | undefined;
  readonly pipelineTag: string | undefined;
  readonly tags: readonly string[];
  /** Repositories that it was made from, as its card says. */
  readonly baseModels: readonly string[];
  /** How many numbers its tensors hold. */
  readonly parameters: number | undefined;
  /** All of its files, sorted by path. */
  readonly files: readonly HubFile[];
}

/** A hub that models can be taken from. */
export interface Hub {
  /** Its address, without a slash at its end. */
  readonly endpoint: string;
  /** Whether the environment says that no hub may be asked (`HF_HUB_OFFLINE`). */
  readonly isOffline: boolean;
  /** Whether there is an access token to show. @throws ModelRtcError `not_found_locally` for a token file that cannot be read */
  hasToken(): Promise<boolean>;
  /**
   * Asks for a model and all its files, as they are at one commit.
   * @throws ModelRtcError `not_found`; `refused` when a token is missing or gives no right, with `details.problem` (`HubProblem`);
   * `network`, `timeout`, `busy`; `invalid_model` for an answer that is none
   */
  model(reference: HubReference, signal?: AbortSignal | undefined): Promise<HubModel>;
  /** The newest commit of a branch, tag or commit, without the files. @throws ModelRtcError as `model` does */
  commit(reference: HubReference, signal?: AbortSignal | undefined): Promise<string>;
  /** What the hub's own tools have downloaded of a model to this machine. */
  cachedFiles(model: Pick<HubModel, 'repo' | 'commit'>): LocalFiles;
  /** A file, to be read in parts. It is the file of the model's commit, whatever the branch has now. */
  file(model: Pick<HubModel, 'repo' | 'commit'>, path: string): RemoteFile;
  /**
   * Reads a small text file, such as `config.json`, and checks its hash.
   * @throws ModelRtcError `not_found`, `invalid_model` for a longer one, `verification_failed`, and as `model` does
   */
  readText(model: HubModel, path: string, maxBytes: number, signal?: AbortSignal | undefined): Promise<string>;
}

/** Why a hub refuses, in `details.problem` of an error. */
export type HubProblem = 'offline' | 'token_missing' | 'token_refused' | 'not_authorized';

/** Where on a hub a model comes from, for its entry. @param publicEndpoint - is not repeated */
export function originOf({ repo, commit, revision, endpoint }: HubModel, publicEndpoint: string): HubOrigin {
  return {
    ...{ repo, commit },
    ...(revision === undefined ? {} : { revision }),
    ...(endpoint === publicEndpoint ? {} : { endpoint }),
  };
}
