import { type Log, silentLog } from '@model-rtc/protocol';
import { dataPaths, loadIdentity } from '@model-rtc/registry';
import { readAuthority } from '../manage/authority.ts';
import { type JoinedMesh, meshFolder } from '../state/mesh-folders.ts';
import { openRecordCache, type RecordCache } from '../state/record-cache.ts';
import { StoredMeshView } from './stored-view.ts';

export interface OpenMeshViewOptions {
  readonly joined: JoinedMesh;
  readonly cache: RecordCache;
  readonly keysFolder: string;
  readonly log?: Log | undefined;
}

/** Opens what this machine knows of a mesh. @throws ModelRtcError `storage` */
export async function openMeshView({
  joined,
  cache,
  keysFolder,
  log = silentLog,
}: OpenMeshViewOptions): Promise<StoredMeshView> {
  const identity = await loadIdentity(keysFolder);
  const view = new StoredMeshView({ joined, cache, identity, authority: await readAuthority(joined), log });
  await view.open();
  return view;
}

/** The same for one command, with a cache of its own that closes with it. */
export async function openOwnView(root: string, joined: JoinedMesh): Promise<StoredMeshView & AsyncDisposable> {
  const cache = await openRecordCache(meshFolder(root));
  const view = await openMeshView({ joined, cache, keysFolder: dataPaths(root).keys });
  return Object.assign(view, { [Symbol.asyncDispose]: () => cache.close() });
}
