import { type Log, ModelRtcError } from '@model-rtc/protocol';
import { decideConsent } from '../../policy/consents.ts';
import { joinedMesh } from '../state/mesh-folders.ts';
import { memberNamed, membersAsShown } from './members.ts';

export interface ConsentInMeshOptions {
  readonly root: string;
  readonly mesh?: string | undefined;
  /** Names or starts of keys; all other members when left out. */
  readonly nodes?: readonly string[] | undefined;
  /** Whether models may be fetched from them, or not any more. */
  readonly isGiven: boolean;
  readonly by: string;
  readonly log?: Log | undefined;
}

/**
 * Lets models be fetched from members, or from nodes that were members not any more.
 * @returns the mesh's name, and the nodes that this was decided about
 * @throws ModelRtcError `not_found`, `ambiguous`, `bad_argument` for this machine itself, `not_found_locally`, `storage`
 */
export async function consentInMesh({ root, mesh, nodes: refs, isGiven, by, log }: ConsentInMeshOptions): Promise<{
  readonly mesh: string;
  readonly nodes: readonly { readonly key: string; readonly name: string }[];
}> {
  const joined = await joinedMesh(root, mesh, log);
  const { members, ownKey } = await membersAsShown(root, joined);
  const { consents, declined } = await joined.consents.read();
  // What was given to a node that has left can be taken back.
  const known = new Set(members.map(({ key }) => key));
  const former = isGiven ? [] : [...consents, ...declined].filter(({ key }) => !known.has(key));
  const all = [...members, ...former].map(({ key, name }) => ({ key, name }));
  const found = refs?.map((ref) => memberNamed(all, ref)) ?? all.filter(({ key }) => key !== ownKey);
  const self = found.find(({ key }) => key === ownKey);
  if (self !== undefined) throw new ModelRtcError('bad_argument', `${self.name} is this machine: it needs no consent.`);
  const nodes = [...new Map(found.map((node) => [node.key, node])).values()];
  await decideConsent(isGiven ? 'given' : 'withdrawn', { root, mesh: joined.mesh.id, nodes, by, log });
  return { mesh: joined.mesh.name, nodes };
}
