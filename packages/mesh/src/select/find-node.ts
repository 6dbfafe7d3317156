import { ModelRtcError } from '@model-rtc/protocol';
import { keyedName } from '../node/node-infos.ts';
import type { MeshNodeInfo } from '../types.ts';

/** A shorter start of a key may be a name. */
const SHORTEST_KEY = 6;
/** Nodes that a message names. */
const NAMED_NODES = 5;

type Node = Pick<MeshNodeInfo, 'key' | 'name' | 'isPresent' | 'isSelf'>;

/**
 * The node that a person names: by its name as it is shown, or by the start of its key.
 * @param nodes - all nodes of the mesh, as `Mesh.nodes` gives them
 * @param mesh - its name, for errors
 * @throws ModelRtcError `not_found`; `ambiguous` with the starts of the keys
 */
export function findNode<T extends Node>(nodes: readonly T[], ref: string, mesh: string): T {
  const byName = nodes.filter(({ name }) => name === ref);
  // Those that share a name are shown with the start of their keys behind it.
  const sharing = nodes.filter(({ name, key }) => name === keyedName(ref, key));
  const byKey = nodes.filter(({ key }) => ref.length >= SHORTEST_KEY && key.startsWith(ref.toLowerCase()));
  const found = [byName, sharing.length > 1 ? sharing : [], byKey].find(({ length }) => length > 0) ?? [];
  const [first, ...more] = found;
  if (first === undefined) throw noNode(nodes, ref, mesh);
  if (more.length === 0) return first;
  const keys = found.map(({ key }) => key.slice(0, 12));
  const shown = found.map(({ key, isPresent }) => `${key.slice(0, 12)}${isPresent ? '' : ' (absent)'}`).join(', ');
  const sentence = `"${ref}" names ${found.length} nodes of the mesh ${mesh}. Pass the start of a key: ${shown}.`;
  throw new ModelRtcError('ambiguous', sentence, { details: { keys } });
}

function noNode(nodes: readonly Node[], ref: string, mesh: string): ModelRtcError {
  const others = nodes.filter(({ isSelf }) => !isSelf).map(({ name }) => name);
  const more = others.length > NAMED_NODES ? ` and ${others.length - NAMED_NODES} more` : '';
  const known =
    others.length === 0 ? 'Nobody else is known there' : `It has ${others.slice(0, NAMED_NODES).join(', ')}${more}`;
  const sentence = `The mesh ${mesh} has no node "${ref}". ${known}. Or pass mesh:best for the best worker that is present.`;
  return new ModelRtcError('not_found', sentence);
}
