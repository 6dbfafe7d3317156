import { hostname } from 'node:os';
import type { Mesh, MeshNodeInfo } from '@model-rtc/mesh';
import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import { packageVersion } from '../package.ts';
import type { Context } from './context.ts';
import { nodeNameIn } from './environment.ts';
import { printable } from './format.ts';
import { agreeToNode, type ConsentFlags } from './mesh-consent.ts';
import { consentRule } from './settings.ts';

const PREFIX = 'mesh:';
/** How long answers are waited for on a machine without a worker. */
const REFRESH_MS = 4_000;

/** What a person wants of the node that `mesh:best` names. */
export interface BestNode {
  /** Conditions such as `gpu_memory >= 16`. All must hold. */
  readonly where?: string | undefined;
  /** The property by which the best comes first; the most reliable one by default. */
  readonly best?: string | undefined;
  /** The model that it must have. */
  readonly ref?: string | undefined;
  /** There when models are fetched from it: then it needs consent. */
  readonly fetch?: ConsentFlags | undefined;
}

/** Whether a text names something of a mesh. */
export function isMeshText(text: string): boolean {
  return text.trim().startsWith(PREFIX);
}

/** Whether a text asks for the best node of a mesh: `mesh:best`, `mesh:MESH/best`. */
export function isBestText(text: string): boolean {
  return /^mesh:(?:[^/]+\/)?best$/.test(text.trim());
}

/**
 * Opens the mesh of `mesh:NAME`, or of `mesh:MESH/NAME` where this machine joined several.
 * @returns the mesh, and the part that names something of it
 * @throws ModelRtcError `not_found_locally`, `ambiguous` when several were joined and none is named, `bad_argument` for no name
 */
export async function openMeshOf(context: Context, text: string): Promise<{ mesh: Mesh; ref: string }> {
  const rest = text.trim().slice(PREFIX.length);
  const slash = rest.indexOf('/');
  if (slash > 0) {
    // A model's name may have a slash too, so the part before it is a mesh only if one of that name was joined.
    const named = await openJoined(context, rest.slice(0, slash)).catch(onlyUnknown);
    if (named !== undefined) return { mesh: named, ref: required(rest.slice(slash + 1), text) };
  }
  const mesh = await openJoined(context, undefined).catch((error: unknown) => {
    const known = ModelRtcError.from(error);
    throw known.code === 'ambiguous' ? severalMeshes(rest, known) : known;
  });
  return { mesh, ref: required(rest, text) };
}

/** Asks the local network and a few members for what is new, unless what is known here will do. */
export async function refreshUnless(context: Context, mesh: Mesh, isEnough: () => Promise<boolean>): Promise<void> {
  if (await isEnough()) return;
  await mesh.refresh({ signal: context.signal, waitMs: REFRESH_MS });
}

/**
 * A session for the worker of a node: `mesh:NODE` by its name or the start of its key, `mesh:best` for the best one that fits.
 * @throws ModelRtcError `not_found`, `ambiguous` with the candidates, `bad_argument` for this machine itself, `worker_offline`; `refused` and
 * `cancelled` where models are fetched from it and nobody agreed to that
 */
export async function meshSession(context: Context, text: string, wanted: BestNode = {}): Promise<SessionToken> {
  const { mesh, ref } = await openMeshOf(context, text);
  await using opened = mesh;
  const { findNode } = await import('@model-rtc/mesh');
  const choose = async (): Promise<MeshNodeInfo> =>
    ref === 'best' ? await bestNode(opened, wanted) : findNode(await opened.nodes(), ref, opened.name);
  await refreshUnless(context, opened, async () => {
    const chosen = await choose().catch(onlyUnknown);
    return chosen !== undefined && (chosen.isPresent || chosen.isSelf);
  });
  const node = await choose();
  if (node.isSelf)
    throw new ModelRtcError('bad_argument', `${printable(node.name)} is this machine. Leave --worker out.`);
  const { fetch } = wanted;
  if (fetch !== undefined) await agreeToNode(context, opened, node, { ...fetch, isNamed: ref !== 'best' });
  if (ref === 'best') context.output.note(`Using ${printable(node.name)} of the mesh ${printable(opened.name)}.`);
  return await opened.session(node.key);
}

async function bestNode(mesh: Mesh, { where, best, ref, fetch }: BestNode): Promise<MeshNodeInfo> {
  const { parseWhere, queryNodes } = await import('@model-rtc/mesh');
  const holders = ref === undefined ? undefined : new Set((await mesh.find(ref)).holders.map(({ node }) => node.key));
  const able = (await mesh.nodes()).filter(
    (node) =>
      node.isPresent && !node.isSelf && node.isTrusted && node.role === 'worker' && holders?.has(node.key) !== false,
  );
  const conditions = where === undefined ? [] : parseWhere(where);
  const fitting = queryNodes(able, { where: conditions, best });
  // A script goes on with those that it may use when a new node appears that is better.
  const first = (fetch === undefined ? undefined : fitting.find(({ hasConsent }) => hasConsent)) ?? fitting[0];
  if (first !== undefined) return first;
  const wanted = [where === undefined ? '' : ` with ${where}`, ref === undefined ? '' : ` that has "${ref}"`].join('');
  throw new ModelRtcError(
    'not_found',
    `No worker of the mesh ${mesh.name} is present${wanted}. See who is there: model-rtc mesh peers.`,
  );
}

async function openJoined(context: Context, name: string | undefined): Promise<Mesh> {
  const { openMesh } = await import('@model-rtc/mesh');
  const own = (await nodeNameIn(context.runtime.env)) ?? hostname();
  const { paths } = await context.registry();
  return await openMesh({
    ...{ root: paths.root, name, log: context.log },
    agent: { name: own, version: packageVersion() },
    consentRule: await consentRule(context.home),
  });
}

function onlyUnknown(error: unknown): undefined {
  const known = ModelRtcError.from(error);
  if (known.code !== 'not_found' && known.code !== 'not_found_locally') throw known;
  return undefined;
}

function required(ref: string, text: string): string {
  if (ref !== '') return ref;
  throw new ModelRtcError(
    'bad_argument',
    `"${text}" names nothing. Pass mesh:NAME, or mesh:MESH/NAME with several meshes.`,
  );
}

function severalMeshes(ref: string, cause: ModelRtcError): ModelRtcError {
  const sentence = cause.message.replace(/ Pass --mesh .*$/, '');
  return ModelRtcError.because(cause, 'ambiguous', `${sentence} Say which one: mesh:MESH/${ref}.`);
}
