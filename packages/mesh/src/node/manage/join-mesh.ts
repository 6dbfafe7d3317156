import { type Log, type Scope, toBase64Url } from '@model-rtc/protocol';
import { dataPaths, loadIdentity } from '@model-rtc/registry';
import type { Agent } from '@model-rtc/transport';
import { parseInvite, parseNodeName, requireValid, signMembership } from '../../core/index.ts';
import { saveMesh } from '../state/mesh-folders.ts';
import { visitMesh } from '../visit-mesh.ts';
import { requireFreeName } from './create-mesh.ts';

export interface JoinMeshOptions {
  readonly root: string;
  readonly invite: string;
  readonly nodeName: string;
  readonly agent: Agent;
  /** How long a member is looked for, in milliseconds. */
  readonly waitMs: number;
  readonly usesMdns: boolean;
  readonly signal: AbortSignal;
  readonly log?: Log | undefined;
}

export interface JoinResult {
  readonly name: string;
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Where its members wait, besides the local network. */
  readonly signalingUrls: readonly string[];
  /** A member that knows of this machine now; undefined when none was reached. */
  readonly reached: string | undefined;
}

/**
 * Joins a mesh: the membership is stored, and members are told if one can be reached.
 * @throws ModelRtcError `bad_argument` for what is no invite, `token_expired`, `refused` when this machine is in another mesh of the name,
 * `storage`
 */
export async function joinMesh(options: JoinMeshOptions): Promise<JoinResult> {
  const { root, nodeName, agent, waitMs, usesMdns, signal, log } = options;
  const { record, certificate, seed, urls, members } = parseInvite(options.invite);
  const now = new Date();
  requireValid(certificate, now.getTime());
  const name = certificate.meshName;
  const id = Buffer.from(certificate.meshId).toString('hex');
  await requireFreeName(root, name, id);
  const node = await loadIdentity(dataPaths(root).keys);
  const membership = signMembership({
    ...{ invite: record, inviteSeed: seed, node, name: parseNodeName(nodeName), nowMs: now.getTime() },
  });
  const joined = await saveMesh(root, {
    ...{ version: 1, id, name, nodeName, joinedAt: now.toISOString(), scopes: certificate.scopes },
    ...{ signalingUrls: [...urls], membership: toBase64Url(membership.bytes) },
    contacts: members.map(({ key, urls: at }) => ({ key: Buffer.from(key).toString('hex'), urls: [...at] })),
  });
  const heard = await visitMesh({ root, joined, agent, usesMdns, log }, (visit) =>
    visit.untilHeard({ waitMs, signal }),
  );
  const [reached] = heard.map(({ name: member }) => member);
  return { name, id, scopes: certificate.scopes, signalingUrls: [...urls], reached };
}
