import type { ConsentedMesh, Mesh, MeshNodeInfo } from '@model-rtc/mesh';
import { ModelRtcError } from '@model-rtc/protocol';
import { confirm } from './ask.ts';
import type { Context } from './context.ts';
import { printable } from './format.ts';

/** How a command that fetches a model was told to decide about nodes from which nothing was fetched yet. */
export interface ConsentFlags {
  /** Agree to all that have the model, without asking; undefined for a command that has no such option. */
  readonly consent?: boolean | undefined;
}

const FLAG = '--consent';

/**
 * Sees to it that a model can be fetched from some node of a mesh, and asks a person about new ones.
 * @returns the mesh without nodes that have no consent
 * @throws ModelRtcError `refused` with the commands that agree, where nobody can be asked; `cancelled`
 */
export async function withAgreedHolders(
  context: Context,
  mesh: Mesh,
  ref: string,
  flags: ConsentFlags,
): Promise<ConsentedMesh> {
  const { withConsent } = await import('@model-rtc/mesh');
  const others = (await mesh.find(ref)).holders
    .map(({ node }) => node)
    .filter(({ isSelf, isTrusted }) => !isSelf && isTrusted);
  const present = others.filter(({ isPresent }) => isPresent);
  await agreeTo(context, mesh, present.length > 0 ? present : others, { ...flags, what: ref });
  const all = (nodes: readonly MeshNodeInfo[]): Promise<void> => decide(context, mesh, 'given', nodes, FLAG);
  return withConsent(mesh, flags.consent === true ? all : undefined);
}

/**
 * Sees to it that a model can be fetched from one node. Whoever names it has agreed to it.
 * @throws ModelRtcError `refused`, `cancelled`
 */
export async function agreeToNode(
  context: Context,
  mesh: Mesh,
  node: MeshNodeInfo,
  flags: ConsentFlags & { readonly isNamed: boolean },
): Promise<void> {
  const { needsConsent } = await import('@model-rtc/mesh');
  if (!flags.isNamed) return await agreeTo(context, mesh, [node], { ...flags, what: 'a model' });
  if (needsConsent(node)) await decide(context, mesh, 'given', [node], 'named with --worker');
}

/** Says who had the model as well, and was not used. Nodes that a person declined are not mentioned. */
export async function noteLeftOut(context: Context, mesh: ConsentedMesh): Promise<void> {
  const declined = await declinedKeys(context, mesh);
  const left = mesh.leftOut().filter(({ key }) => !declined.has(key));
  if (left.length === 0) return;
  const { consentCommand, consentNames } = await import('@model-rtc/mesh');
  const [have, were] = left.length === 1 ? ['has', 'was'] : ['have', 'were'];
  context.output.note(
    printable(
      `${consentNames(left)} ${have} it too and ${were} not used: nothing was fetched from there yet. Agree to it: ${consentCommand(left)}`,
    ),
  );
}

type AskFlags = ConsentFlags & { readonly what: string };

/** @param nodes - those that have what is wanted */
async function agreeTo(context: Context, mesh: Mesh, nodes: readonly MeshNodeInfo[], flags: AskFlags): Promise<void> {
  const { needsConsent } = await import('@model-rtc/mesh');
  const without = nodes.filter((node) => needsConsent(node));
  if (without.length === 0) return;
  if (flags.consent === true) return await decide(context, mesh, 'given', without, FLAG);
  const isNeeded = without.length === nodes.length;
  if (context.interactive) return await ask(context, mesh, without, { ...flags, isNeeded });
  if (isNeeded) throw await refused(context, mesh, without, flags);
}

/** Asks about nodes from which nothing was fetched yet; about those that were declined before only where no other has it. */
async function ask(
  context: Context,
  mesh: Mesh,
  without: readonly MeshNodeInfo[],
  { isNeeded }: AskFlags & { readonly isNeeded: boolean },
): Promise<void> {
  const declined = isNeeded ? new Set<string>() : await declinedKeys(context, mesh);
  const asked = without.filter(({ key }) => !declined.has(key));
  if (asked.length === 0) return;
  const { consentNames } = await import('@model-rtc/mesh');
  const them = asked.length === 1 ? 'it' : 'them';
  const too = isNeeded ? '' : ', too';
  const text = printable(
    `Nothing was fetched from ${consentNames(asked)} of the mesh ${mesh.name} yet. Fetch from ${them}${too}?`,
  );
  if (await confirm(context, { text, flag: FLAG }))
    return await decide(context, mesh, 'given', asked, 'asked at the terminal');
  await decide(context, mesh, 'declined', asked, 'asked at the terminal');
  if (!isNeeded) return;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was fetched.');
}

async function refused(
  { home, log }: Context,
  mesh: Mesh,
  nodes: readonly MeshNodeInfo[],
  { what, consent }: AskFlags,
): Promise<ModelRtcError> {
  const { noConsentEntry, noConsentError, noteDecisions } = await import('@model-rtc/mesh');
  const error = noConsentError(mesh.name, nodes, consent === undefined ? undefined : FLAG);
  await noteDecisions(home, [noConsentEntry(what, error, 'mesh.consent')], log);
  return error;
}

async function decide(
  { home, log }: Context,
  mesh: Mesh,
  answer: 'given' | 'declined',
  nodes: readonly MeshNodeInfo[],
  by: string,
): Promise<void> {
  const { decideConsent } = await import('@model-rtc/mesh');
  await decideConsent(answer, { root: home, mesh: mesh.id, nodes, by, log });
}

async function declinedKeys({ home }: Context, mesh: Mesh): Promise<ReadonlySet<string>> {
  const { consentDecisions } = await import('@model-rtc/mesh');
  return new Set((await consentDecisions(home, mesh.id)).declined.map(({ key }) => key));
}
