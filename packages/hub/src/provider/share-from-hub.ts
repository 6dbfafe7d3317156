import { type Clock, type HubOrigin, type Manifest, ModelRtcError, systemClock } from '@model-rtc/protocol';
import type { SourcePool } from '@model-rtc/transfer';
import { PUBLIC_ENDPOINT } from '../access/settings.ts';
import { DEFAULT_CONNECTIONS } from '../limits.ts';
import type { Hub, HubFile } from '../types.ts';
import { keepConnections } from './keep-connections.ts';

export interface HubSharing {
  /** The hub that this machine is configured for. No other one is asked, whatever `origin` says. */
  readonly hub: Hub;
  /** Where somebody else says that the model comes from. */
  readonly origin: HubOrigin;
  /** What is fetched. Every chunk is checked by it. */
  readonly manifest: Manifest;
  readonly pool: SourcePool;
  readonly signal: AbortSignal;
  readonly connections?: number | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1. */
  readonly random?: (() => number) | undefined;
}

/**
 * Adds a hub to the sources of a transfer that another agent asked for, for those files that the repository has at that commit.
 * @returns why it gives nothing, or nothing any more. It never rejects: the transfer goes on with its other sources.
 */
export async function shareFromHub(sharing: HubSharing): Promise<ModelRtcError> {
  const { hub, origin, signal, pool, connections = DEFAULT_CONNECTIONS } = sharing;
  const { clock = systemClock, random = Math.random } = sharing;
  try {
    const { endpoint = PUBLIC_ENDPOINT, repo, commit } = origin;
    // The name of a private repository of one hub is not told to another.
    if (endpoint !== hub.endpoint)
      throw new ModelRtcError('refused', `The model comes from ${endpoint}, which is another hub than this machine's.`);
    const model = await hub.model({ repo, revision: commit }, signal);
    if (model.commit !== commit) throw new ModelRtcError('not_found', `${repo} has another commit at the hub.`);
    const shared = sharedFiles(sharing.manifest, model.files);
    if (shared.length === 0) throw new ModelRtcError('not_found', `${repo} has none of the model's files at the hub.`);
    const files = new Map(shared.map(({ path, size }) => [path, { size, file: hub.file(model, path) }]));
    const name = new URL(hub.endpoint).host;
    const known = { name, origin: `hub:${hub.endpoint}/${repo}@${commit}`, clock, random, notBeforeMs: 0, failures: 0 };
    return await keepConnections({ ...known, find: (path) => files.get(path) }, { pool, connections, signal });
  } catch (error) {
    return ModelRtcError.from(error);
  }
}

/** The files that are the same at the hub, as far as it tells. */
function sharedFiles({ files }: Manifest, listed: readonly HubFile[]): readonly HubFile[] {
  const wanted = new Map<string, Manifest['files'][number]>(files.map((file) => [file.path, file]));
  return listed.filter(({ path, size, sha256 }) => {
    const file = wanted.get(path);
    return file?.size === size && (sha256 === undefined || sha256 === file.sha256);
  });
}
