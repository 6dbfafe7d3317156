import { rm } from 'node:fs/promises';
import { ModelRtcError } from '@model-rtc/protocol';
import { dataPaths, loadIdentity } from '@model-rtc/registry';
import { hexToBytes } from '@noble/hashes/utils.js';
import { nextRoster, signLeave } from '../../core/index.ts';
import type { MeshMember } from '../../types.ts';
import { keyedName } from '../node-infos.ts';
import { openOwnView } from '../records/open-mesh-view.ts';
import { type JoinedMesh, joinedMesh, setMeshAside } from '../state/mesh-folders.ts';
import { readAuthority, requireAuthority } from './authority.ts';
import { type ManageOptions, tellMembers } from './tell.ts';

/** @returns who was told. @throws ModelRtcError `not_found_locally`, `storage` */
export async function leaveMesh(options: ManageOptions): Promise<{
  readonly name: string;
  readonly told: readonly string[];
  readonly authorityKeyFile: string | undefined;
}> {
  const joined = await joinedMesh(options.root, options.mesh);
  const node = await loadIdentity(dataPaths(options.root).keys);
  const { mesh, folder } = joined;
  const leave = signLeave(hexToBytes(mesh.id), node, Date.now());
  const told = await tellMembers(options, joined, leave.bytes);
  // A running worker takes part no more when the folder is gone.
  if ((await readAuthority(joined)) === undefined) {
    // The worker may write a file there until it notices.
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    return { name: mesh.name, told, authorityKeyFile: undefined };
  }
  const aside = await setMeshAside(options.root, joined, new Date());
  return { name: mesh.name, told, authorityKeyFile: joined.authorityKeyFile.replace(folder, aside) };
}

/** @throws ModelRtcError `refused` on a machine that is not the authority, `not_found`, `ambiguous` */
export async function removeFromMesh(options: ManageOptions & { readonly node: string }): Promise<{
  readonly mesh: string;
  readonly key: string;
  readonly name: string;
  readonly told: readonly string[];
}> {
  const joined = await joinedMesh(options.root, options.mesh);
  const authority = await requireAuthority(joined, 'remove members');
  const member = await findMember(options.root, joined, options.node);
  const own = await loadIdentity(dataPaths(options.root).keys);
  if (member.key === Buffer.from(own.publicKey).toString('hex'))
    throw new ModelRtcError(
      'bad_argument',
      `${member.name} is this machine. Leave the mesh with: model-rtc mesh leave.`,
    );
  {
    await using view = await openOwnView(options.root, joined);
    const change = { meshName: joined.mesh.name, remove: [member.key] };
    await view.acceptRoster(nextRoster(view.membership, change, authority, Date.now()));
  }
  const told = await tellMembers(options, joined);
  return { mesh: joined.mesh.name, key: member.key, name: member.name, told };
}

/** Whether a node's catalogs count on this machine. @throws ModelRtcError `not_found`, `ambiguous`, `storage` */
export async function trustInMesh({
  root,
  mesh,
  node,
  isTrusted,
}: Pick<ManageOptions, 'root' | 'mesh'> & { readonly node: string; readonly isTrusted: boolean }): Promise<{
  readonly mesh: string;
  readonly key: string;
  readonly name: string;
  readonly isTrusted: boolean;
}> {
  const joined = await joinedMesh(root, mesh);
  const { key, name } = await findMember(root, joined, node);
  await joined.trust.update(({ distrusted }) => {
    const others = distrusted.filter((one) => one.key !== key);
    const since = new Date().toISOString();
    return { distrusted: isTrusted ? others : [...others, { key, name, since }] };
  });
  return { mesh: joined.mesh.name, key, name, isTrusted };
}

async function findMember(root: string, joined: JoinedMesh, ref: string): Promise<MeshMember> {
  return memberNamed((await membersAsShown(root, joined)).members, ref);
}

/** All members, by the names that lists show: those of catalogs. */
export async function membersAsShown(
  root: string,
  joined: JoinedMesh,
): Promise<{ readonly members: readonly MeshMember[]; readonly ownKey: string }> {
  await using view = await openOwnView(root, joined);
  const members = view
    .members()
    .map((member) => ({ ...member, name: view.catalogOf(member.key)?.name ?? member.name }));
  return { members, ownKey: view.ownKey };
}

/** @throws ModelRtcError `not_found`, `ambiguous` */
export function memberNamed<T extends Pick<MeshMember, 'key' | 'name'>>(members: readonly T[], ref: string): T {
  const byName = members.filter(({ name, key }) => name === ref || keyedName(name, key) === ref);
  const isKey = /^[0-9a-f]{6,64}$/.test(ref);
  const found = byName.length > 0 ? byName : members.filter(({ key }) => isKey && key.startsWith(ref));
  const [first, second] = found;
  if (first === undefined) {
    throw new ModelRtcError(
      'not_found',
      `No member is named "${ref}". List them: model-rtc mesh peers. A key needs 6 characters at least.`,
    );
  }
  if (second === undefined) return first;
  const names = found.map(({ name, key }) => keyedName(name, key)).join(', ');
  throw new ModelRtcError('ambiguous', `Several members are named "${ref}". Pass the full name of one: ${names}.`);
}
