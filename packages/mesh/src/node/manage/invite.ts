import { randomBytes } from 'node:crypto';
import { ModelRtcError, type Scope } from '@model-rtc/protocol';
import { dataPaths, loadIdentity } from '@model-rtc/registry';
import { hexToBytes } from '@noble/hashes/utils.js';
import { makeInvite } from '../../core/index.ts';
import { MAX_INVITE_MEMBERS, MAX_INVITE_USES } from '../../core/limits.ts';
import type { Invite } from '../../core/membership/invite-text.ts';
import { openOwnView } from '../records/open-mesh-view.ts';
import type { StoredMeshView } from '../records/stored-view.ts';
import { invitesFile, withInvite } from '../state/invites-file.ts';
import { joinedMesh } from '../state/mesh-folders.ts';
import { requireAuthority } from './authority.ts';
import { requireSignalingUrls } from './create-mesh.ts';

export interface InviteOptions {
  readonly root: string;
  readonly mesh?: string | undefined;
  readonly scopes: readonly Scope[];
  readonly forMs: number;
  /** How many nodes it lets in, from 1 to 10,000. */
  readonly uses: number;
  /** Signaling servers besides the mesh's. */
  readonly signalingUrls: readonly string[];
  /** Where this machine's worker waits; empty when none has run. */
  readonly ownUrls: readonly string[];
}

export interface MadeInvite {
  readonly mesh: string;
  readonly text: string;
  /** By which it can be revoked. */
  readonly key: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: string;
  readonly uses: number;
  /** All addresses that it names. */
  readonly urls: readonly string[];
}

/** @throws ModelRtcError `refused` on a machine that is not the authority; `bad_argument` for a bad URL or a time that is too long */
export async function inviteToMesh(options: InviteOptions): Promise<MadeInvite> {
  const { root, scopes, forMs, uses, ownUrls } = options;
  if (!Number.isInteger(uses) || uses < 1 || uses > MAX_INVITE_USES)
    throw new ModelRtcError('bad_argument', `--uses takes a number from 1 to ${MAX_INVITE_USES}.`);
  const joined = await joinedMesh(root, options.mesh);
  const authority = await requireAuthority(joined, 'invite others');
  requireSignalingUrls(options.signalingUrls);
  const { mesh } = joined;
  const urls = [...new Set([...mesh.signalingUrls, ...options.signalingUrls])];
  const { publicKey } = await loadIdentity(dataPaths(root).keys);
  await using view = await openOwnView(root, joined);
  const self = { key: publicKey, urls: [...new Set([...ownUrls, ...urls])].slice(0, MAX_OWN_URLS) };
  const members = [self, ...othersOf(view, urls)];
  const nowMs = Date.now();
  const made = makeInvite(authority, {
    ...{
      meshName: mesh.name,
      scopes,
      forMs,
      maxJoins: uses,
      urls,
      members,
      nowMs,
      seed: new Uint8Array(randomBytes(32)),
    },
    epoch: view.membership.roster?.epoch ?? 0,
  });
  const expiresAt = new Date(nowMs + forMs).toISOString();
  const note = { key: made.key, scopes: [...scopes], madeAt: new Date(nowMs).toISOString(), expiresAt, uses };
  await invitesFile(joined.folder).update((before) => withInvite(before, note));
  return { ...{ mesh: mesh.name, ...made, scopes, uses, expiresAt }, urls: [...new Set([...urls, ...ownUrls])] };
}

/** Others that let a new member in too, should this machine be gone: those that were heard last come first. */
function othersOf(view: StoredMeshView, urls: readonly string[]): Invite['members'][number][] {
  const heard = view.members().flatMap(({ key }) => {
    const head = key === view.ownKey ? undefined : view.catalogOf(key);
    return head === undefined ? [] : [{ key, head }];
  });
  return heard
    .sort((a, b) => b.head.issuedAtMs - a.head.issuedAtMs)
    .slice(0, MAX_INVITE_MEMBERS - 1)
    .map(({ key, head }) => ({
      key: hexToBytes(key),
      // All are looked for at the mesh's servers anyway.
      urls: head.urls.filter((url) => !urls.includes(url)).slice(0, MAX_OTHERS_URLS),
    }));
}

/** Of each other member. */
const MAX_OTHERS_URLS = 2;
/** More would make invites long. */
const MAX_OWN_URLS = 6;
