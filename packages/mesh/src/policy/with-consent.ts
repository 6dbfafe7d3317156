import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { Mesh, MeshMember, MeshModelFilter, MeshModelHolders, MeshNodeInfo, MeshOutcome } from '../types.ts';

/** A mesh for whatever fetches models: it gives nobody as a source from whom the owner of this machine did not agree to fetch. */
export interface ConsentedMesh extends Mesh {
  /** As of any mesh, without holders that have no consent. @throws ModelRtcError `refused` when only such have the model */
  find(ref: string): Promise<MeshModelHolders>;
  /** As of any mesh. @throws ModelRtcError `refused` for a node without consent */
  session(nodeKey: string): Promise<SessionToken>;
  /** Present nodes that had a model that was looked for, and were left out for want of consent. */
  leftOut(): readonly MeshNodeInfo[];
}

/** Keeps that nodes have consent from now on. */
export type Agree = (nodes: readonly MeshNodeInfo[]) => Promise<void>;

/**
 * Wraps a mesh so that models are fetched only from nodes with consent. What is given or taken back meanwhile counts from then on.
 * @param agree - where somebody agreed to everyone who has a model, those that appear while it is fetched included
 */
export function withConsent(mesh: Mesh, agree?: Agree): ConsentedMesh {
  return new MeshWithConsent(mesh, agree);
}

class MeshWithConsent implements ConsentedMesh {
  readonly #mesh: Mesh;
  readonly #agree: Agree | undefined;
  readonly #leftOut = new Map<string, MeshNodeInfo>();

  constructor(mesh: Mesh, agree: Agree | undefined) {
    this.#mesh = mesh;
    this.#agree = agree;
  }

  get name(): string {
    return this.#mesh.name;
  }

  get id(): string {
    return this.#mesh.id;
  }

  get selfKey(): string {
    return this.#mesh.selfKey;
  }

  async find(ref: string): Promise<MeshModelHolders> {
    const found = await this.#findAgreed(ref);
    const holders = found.holders.filter(({ node }) => mayGive(node));
    const others = found.holders.map(({ node }) => node).filter((node) => needsConsent(node));
    for (const { node } of holders) this.#leftOut.delete(node.key);
    for (const node of others) if (node.isPresent) this.#leftOut.set(node.key, node);
    if (others.length > 0 && holders.every(({ node }) => node.isSelf)) throw noConsentError(this.name, others);
    return { ...found, holders };
  }

  async session(nodeKey: string): Promise<SessionToken> {
    const node = (await this.#mesh.nodes()).find(({ key }) => key === nodeKey);
    if (node !== undefined && !mayGive(node)) throw noConsentError(this.name, [node]);
    return await this.#mesh.session(nodeKey);
  }

  /** Those that appear meanwhile have consent as well where everyone has it who has the model. */
  async #findAgreed(ref: string): Promise<MeshModelHolders> {
    const found = await this.#mesh.find(ref);
    const others = found.holders.map(({ node }) => node).filter((node) => needsConsent(node));
    if (this.#agree === undefined || others.length === 0) return found;
    await this.#agree(others);
    return await this.#mesh.find(ref);
  }

  leftOut(): readonly MeshNodeInfo[] {
    return [...this.#leftOut.values()];
  }

  async members(): Promise<readonly MeshMember[]> {
    return await this.#mesh.members();
  }

  async nodes(): Promise<readonly MeshNodeInfo[]> {
    return await this.#mesh.nodes();
  }

  async models(filter?: MeshModelFilter): Promise<readonly MeshModelHolders[]> {
    return await this.#mesh.models(filter);
  }

  async refresh(options: { readonly signal: AbortSignal; readonly waitMs?: number | undefined }): Promise<void> {
    await this.#mesh.refresh(options);
  }

  onChange(listener: () => void): () => void {
    return this.#mesh.onChange(listener);
  }

  async noteOutcome(nodeKey: string, outcome: MeshOutcome): Promise<void> {
    await this.#mesh.noteOutcome(nodeKey, outcome);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mesh[Symbol.asyncDispose]();
  }
}

function mayGive({ isSelf, hasConsent }: MeshNodeInfo): boolean {
  return isSelf || hasConsent === true;
}

/** Whether a node could give models if the owner of this machine agreed. One that is not trusted could not. */
export function needsConsent(node: MeshNodeInfo): boolean {
  return node.isTrusted && !mayGive(node);
}

/** Nodes that a message names. */
const NAMED_NODES = 5;

/** `anna (1fc3fffd) and ben (20e1ab77)`: a name can be anybody's, a key cannot. */
export function consentNames(nodes: readonly Pick<MeshNodeInfo, 'key' | 'name'>[]): string {
  const names = nodes.map(({ name, key }) => `${name} (${key.slice(0, 8)})`);
  const more = names.length > NAMED_NODES ? [`${names.length - NAMED_NODES} more`] : [];
  const shown = [...names.slice(0, NAMED_NODES), ...more];
  const last = shown.pop() ?? 'nobody';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}

/** The command that gives these nodes consent. */
export function consentCommand(nodes: readonly Pick<MeshNodeInfo, 'name'>[]): string {
  const whom = nodes.length > NAMED_NODES ? 'NODE ... (or --all)' : nodes.map(({ name }) => name).join(' ');
  return `model-rtc mesh consent ${whom}`;
}

/** Whether a failure says that somebody has to agree first. */
export function isNoConsent(error: ModelRtcError): boolean {
  return error.code === 'refused' && error.details?.needs === 'consent';
}

/**
 * What whoever wants a model is told where nobody agreed to those who have it.
 * @param nodes - those that could give it
 * @param flag - the option of the command that agrees to them, where it has one
 */
export function noConsentError(
  mesh: string,
  nodes: readonly Pick<MeshNodeInfo, 'key' | 'name'>[],
  flag?: string,
): ModelRtcError {
  const from = `${consentNames(nodes)} of the mesh ${mesh}`;
  const pass = flag === undefined ? '' : `pass ${flag} or `;
  const sentence = `Nothing was fetched from ${from} yet. To agree to it, ${pass}run: ${consentCommand(nodes)}. For all members, now and later: model-rtc settings set mesh.consent members.`;
  const named = nodes.slice(0, NAMED_NODES).map(({ key, name }) => ({ key, name }));
  return new ModelRtcError('refused', sentence, { details: { needs: 'consent', mesh, nodes: named, from, flag } });
}
