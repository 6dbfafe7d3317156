import { isSignalingUrl, ModelRtcError, SCOPES, toBase64Url } from '@model-rtc/protocol';
import { dataPaths, loadIdentity } from '@model-rtc/registry';
import { meetingSecrets, parseNodeName, signFounder } from '../../core/index.ts';
import { joinedMeshes, type MeshFile, placeMesh, saveMesh } from '../state/mesh-folders.ts';
import { keepAuthority, newAuthority } from './authority.ts';

export interface CreateMeshOptions {
  /** The data folder. */
  readonly root: string;
  readonly name: string;
  readonly nodeName: string;
  /** Where members in other networks meet. */
  readonly signalingUrls: readonly string[];
}

export interface CreatedMesh {
  readonly name: string;
  readonly id: string;
  readonly authorityKeyFile: string;
}

/**
 * Makes a mesh whose first member and authority is this machine.
 * @throws ModelRtcError `bad_argument` for a bad name or URL, `refused` when this machine is in a mesh of that name, `storage`
 */
export async function createMesh({ root, name, nodeName, signalingUrls }: CreateMeshOptions): Promise<CreatedMesh> {
  parseNodeName(name);
  requireSignalingUrls(signalingUrls);
  await requireFreeName(root, name, { advice: 'Or use another name.' });
  const node = await loadIdentity(dataPaths(root).keys);
  const { identity, seed } = newAuthority();
  const now = new Date();
  const membership = signFounder(
    { node, name: parseNodeName(nodeName), scopes: SCOPES, nowMs: now.getTime() },
    identity,
  );
  const id = Buffer.from(identity.publicKey).toString('hex');
  const mesh: MeshFile = {
    ...{ version: 1, id, name, nodeName, joinedAt: now.toISOString(), scopes: [...SCOPES] },
    ...{ signalingUrls: [...signalingUrls], contacts: [], membership: toBase64Url(membership.bytes) },
    meetings: meetingSecrets(identity, 0).map(toBase64Url),
  };
  const joined = await placeMesh(root, mesh);
  // First, so that no mesh is left without an authority where this process ends in between.
  await keepAuthority(joined, seed);
  await saveMesh(root, mesh);
  return { name, id, authorityKeyFile: joined.authorityKeyFile };
}

/** @throws ModelRtcError `bad_argument` */
export function requireSignalingUrls(urls: readonly string[]): void {
  const wrong = urls.find((url) => !isSignalingUrl(url));
  if (wrong === undefined) return;
  throw new ModelRtcError('bad_argument', `"${wrong}" is not a signaling server. Pass a URL such as ws://host:8787.`);
}

/** Two meshes of one name on one machine could not be told apart in commands. @throws ModelRtcError `refused` */
export async function requireFreeName(
  root: string,
  name: string,
  { exceptId, advice = '' }: { readonly exceptId?: string; readonly advice?: string },
): Promise<void> {
  const taken = (await joinedMeshes(root)).find(({ mesh }) => mesh.name === name && mesh.id !== exceptId);
  if (taken === undefined) return;
  throw new ModelRtcError(
    'refused',
    `This machine is already in a mesh "${name}". Leave it first: model-rtc mesh leave --mesh ${name}. ${advice}`.trimEnd(),
  );
}
