import { ModelRtcError, type Scope } from '@model-rtc/protocol';
import { nextRoster } from '../../core/index.ts';
import type { MeshMember } from '../../types.ts';
import { openOwnView } from '../records/open-mesh-view.ts';
import type { StoredMeshView } from '../records/stored-view.ts';
import { invitesFile } from '../state/invites-file.ts';
import { type JoinedMesh, joinedMesh } from '../state/mesh-folders.ts';
import { readAuthority, requireAuthority } from './authority.ts';
import { type ManageOptions, tellMembers } from './tell.ts';

/** An invite, without its secret. */
export interface KnownInvite {
  /** By which it is revoked: 64 hex characters. */
  readonly key: string;
  readonly scopes: readonly Scope[];
  /** ISO 8601. */
  readonly madeAt: string;
  readonly expiresAt: string;
  /** How many nodes it lets in; any number when left out. */
  readonly uses: number | undefined;
  /** How many came with it, as far as their memberships are here: those of nodes that were removed are not. */
  readonly used: number;
  /** Those that are members now. */
  readonly members: readonly Pick<MeshMember, 'key' | 'name'>[];
  readonly state: 'open' | 'used_up' | 'expired' | 'revoked';
}

/**
 * The invites of a mesh, the newest first: those that were made here, and those by which members came as far as their memberships are here.
 * @throws ModelRtcError `not_found_locally`, `storage`
 */
export async function meshInvites(root: string, mesh: string | undefined) {
  const joined = await joinedMesh(root, mesh);
  await using view = await openOwnView(root, joined);
  const isAuthority = (await readAuthority(joined)) !== undefined;
  return { mesh: joined.mesh.name, isAuthority, invites: await knownInvites(joined, view) };
}

/**
 * Revokes an invite, and removes everyone who came with it.
 * @param options.invite - the first characters of its key
 * @throws ModelRtcError `refused` on a machine that is not the authority, `not_found`, `ambiguous`
 */
export async function removeInviteFromMesh(options: ManageOptions & { readonly invite: string }): Promise<{
  readonly mesh: string;
  readonly invite: string;
  readonly removed: readonly Pick<MeshMember, 'key' | 'name'>[];
  readonly told: readonly string[];
}> {
  const joined = await joinedMesh(options.root, options.mesh);
  const authority = await requireAuthority(joined, 'revoke invites');
  let found: KnownInvite;
  {
    await using view = await openOwnView(options.root, joined);
    found = inviteNamed(await knownInvites(joined, view), options.invite);
    const change = { meshName: joined.mesh.name, removeInvites: [found.key] };
    await view.acceptRoster(nextRoster(view.membership, change, authority, Date.now()));
  }
  const told = await tellMembers(options, joined);
  return { mesh: joined.mesh.name, invite: found.key, removed: found.members, told };
}

async function knownInvites({ folder }: JoinedMesh, { membership }: StoredMeshView): Promise<KnownInvite[]> {
  const made = (await invitesFile(folder).read()).invites.map(({ scopes, ...note }) => ({ ...note, scopes, used: 0 }));
  const used = membership.invites().map(({ invite, used: count }) => ({
    ...{ key: invite.keyText, scopes: invite.scopes, uses: invite.maxJoins, used: count },
    ...{ madeAt: new Date(invite.issuedAt).toISOString(), expiresAt: new Date(invite.expiresAt).toISOString() },
  }));
  const revoked = new Set(membership.roster?.revokedInvites);
  const all = [...new Map([...made, ...used].map((one) => [one.key, one])).values()];
  return all
    .map(({ uses, ...one }) => ({
      ...{ ...one, uses, members: membership.cameWith(one.key).map(({ key, name }) => ({ key, name })) },
      state: stateOf({ ...one, uses }, revoked.has(one.key)),
    }))
    .sort((a, b) => b.madeAt.localeCompare(a.madeAt));
}

function stateOf(
  { uses, used, expiresAt }: Pick<KnownInvite, 'uses' | 'used' | 'expiresAt'>,
  isRevoked: boolean,
): KnownInvite['state'] {
  if (isRevoked) return 'revoked';
  if (Date.parse(expiresAt) < Date.now()) return 'expired';
  return uses !== undefined && used >= uses ? 'used_up' : 'open';
}

function inviteNamed(invites: readonly KnownInvite[], prefix: string): KnownInvite {
  const found = /^[0-9a-f]{6,64}$/.test(prefix) ? invites.filter(({ key }) => key.startsWith(prefix)) : [];
  const [first, second] = found;
  if (first === undefined) {
    const sentence = `No invite "${prefix}" is known. List them: model-rtc mesh invites. Pass 6 characters of its key at least.`;
    throw new ModelRtcError('not_found', sentence);
  }
  if (second === undefined) return first;
  throw new ModelRtcError('ambiguous', `"${prefix}" is the start of ${found.length} invites. Type more of the key.`);
}
