import type { Log } from '@model-rtc/protocol';
import type { ConsentDecision } from '../node/state/consents-file.ts';
import { withDecisions, withoutDecisions } from '../node/state/consents-file.ts';
import { joinedMesh } from '../node/state/mesh-folders.ts';
import { noteDecisions } from './audit.ts';
import { consentNames } from './with-consent.ts';

export interface ConsentOptions {
  /** The data folder. */
  readonly root: string;
  /** Its name or id. */
  readonly mesh: string;
  readonly nodes: readonly { readonly key: string; readonly name: string }[];
  /** Who decided, and how: `mesh consent`, `--consent`. */
  readonly by: string;
  readonly log?: Log | undefined;
}

/** What was decided about a node: models may be fetched from it, or may not. */
export type ConsentAnswer = 'given' | 'declined' | 'withdrawn';

const WORDS: Readonly<Record<ConsentAnswer, string>> = {
  given: 'agreed to fetch models from',
  declined: 'did not agree to fetch models from',
  withdrawn: 'took back the consent to fetch models from',
};

/** Keeps what the owner of this machine decided about nodes, and notes it for the audit. @throws ModelRtcError `not_found_locally`, `storage` */
export async function decideConsent(answer: ConsentAnswer, options: ConsentOptions): Promise<void> {
  const { root, mesh: name, nodes, by, log } = options;
  if (nodes.length === 0) return;
  const { mesh, consents } = await joinedMesh(root, name, log);
  const at = new Date().toISOString();
  const decisions = nodes.map((node): ConsentDecision => ({ key: node.key, name: node.name, at, by }));
  const keys = new Set(nodes.map(({ key }) => key));
  await consents.update((before) => {
    if (answer === 'withdrawn') return withoutDecisions(before, keys);
    return withDecisions(before, answer === 'given' ? { consents: decisions } : { declined: decisions });
  });
  const entries = nodes.map((node) => ({
    ...({ event: 'consent', about: node.key, by } as const),
    what: `${WORDS[answer]} ${consentNames([node])} of the mesh ${mesh.name}`,
  }));
  await noteDecisions(root, entries, log);
}

/** The decisions that this machine keeps about nodes of a mesh. @throws ModelRtcError `not_found_locally`, `storage` */
export async function consentDecisions(
  root: string,
  mesh: string | undefined,
): Promise<{ readonly consents: readonly ConsentDecision[]; readonly declined: readonly ConsentDecision[] }> {
  return await (await joinedMesh(root, mesh)).consents.read();
}
