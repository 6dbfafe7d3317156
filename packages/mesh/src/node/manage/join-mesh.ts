import { rm } from 'node:fs/promises';
import { type Log, ModelRtcError, type Scope, silentLog, toBase64Url } from '@model-rtc/protocol';
import { dataPaths, loadIdentity } from '@model-rtc/registry';
import type { Agent } from '@model-rtc/transport';
import { parseInvite, parseNodeName, requireValid, signMembership } from '../../core/index.ts';
import { type JoinedMesh, joinedMeshes, type MeshFile, saveMesh } from '../state/mesh-folders.ts';
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
 * @throws ModelRtcError `bad_argument` for what is no invite, `token_expired`, `refused` when this machine is in another mesh of the name, or
 * members do not take the invite, or this machine's clock is ahead of theirs, `storage`
 */
export async function joinMesh(options: JoinMeshOptions): Promise<JoinResult> {
  const { root, nodeName, agent, waitMs, usesMdns, signal, log } = options;
  const { record, certificate, seed, urls, members, meetings } = parseInvite(options.invite);
  const now = new Date();
  requireValid(certificate, now.getTime());
  const name = certificate.meshName;
  const id = Buffer.from(certificate.meshId).toString('hex');
  await requireFreeName(root, name, { exceptId: id });
  const node = await loadIdentity(dataPaths(root).keys);
  const membership = signMembership({
    ...{ invite: record, inviteSeed: seed, node, name: parseNodeName(nodeName), nowMs: now.getTime() },
  });
  const before = (await joinedMeshes(root, log)).find(({ mesh }) => mesh.id === id)?.mesh;
  const joined = await saveMesh(root, {
    ...{ version: 1, id, name, nodeName, joinedAt: now.toISOString(), scopes: certificate.scopes },
    ...{ signalingUrls: [...urls], membership: toBase64Url(membership.bytes), meetings: meetings.map(toBase64Url) },
    contacts: members.map(({ key, urls: at }) => ({ key: Buffer.from(key).toString('hex'), urls: [...at] })),
  });
  const { heard, wasRefused, clockProblem } = await visitMesh(
    { root, joined, agent, usesMdns, log: withoutWarnings(log) },
    async (visit) => {
      await visit.beginAnew();
      const members = visit.wasRefused() ? [] : await visit.untilHeard({ waitMs, signal });
      return { heard: members, wasRefused: visit.wasRefused(), clockProblem: visit.clockProblem() };
    },
  );
  if (heard.length === 0 && wasRefused) {
    await undo(root, joined, before);
    throw clockProblem ?? inviteRefused(name);
  }
  if (clockProblem !== undefined) log?.warn({ err: clockProblem }, clockProblem.message);
  const [reached] = heard.map(({ name: member }) => member);
  return { name, id, scopes: certificate.scopes, signalingUrls: [...urls], reached };
}

/** Puts back what was there before. */
async function undo(root: string, { folder }: JoinedMesh, before: MeshFile | undefined): Promise<void> {
  if (before !== undefined) await saveMesh(root, before);
  // A running worker may write a file there until it notices.
  else await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** What keeps a machine out is said once, as the error. */
function withoutWarnings(log: Log = silentLog): Log {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.debug(fields, message),
  };
}

function inviteRefused(mesh: string): ModelRtcError {
  return new ModelRtcError(
    'refused',
    `The members of the mesh ${mesh} do not take this invite any more: it was revoked, as happens when a machine that joined with it is removed. Ask for another one: model-rtc mesh invite.`,
  );
}
