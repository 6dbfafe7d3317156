import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import type { MeshNodeInfo } from '../types.ts';
import type { AuditEntry } from './audit.ts';
import { consentNames } from './with-consent.ts';

/** What a pull from nodes of a mesh came to. */
export interface PullOutcome {
  /** As people call the model. */
  readonly model: string;
  readonly digest?: Digest | undefined;
  readonly bytes?: number | undefined;
  /** Those that gave something. */
  readonly from: readonly { readonly name: string; readonly bytes: number }[];
  /** What made it fetch: a command, a rule, the HTTP bridge. */
  readonly by: string;
  /** Why it ended early. */
  readonly error?: ModelRtcError | undefined;
}

/** A model that was fetched from nodes of a mesh, or could not be. */
export function pullEntry({ model, digest, bytes, from, by, error }: PullOutcome): AuditEntry {
  const givers = from.map(({ name }) => name).join(', ');
  const source = givers === '' ? '' : ` from ${givers}`;
  const what =
    error === undefined ? `fetched ${model}${source}` : `could not fetch ${model}${source}: ${error.message}`;
  return { event: 'download', what, about: digest ?? model, bytes, by, nodes: from.length === 0 ? undefined : from };
}

/** A pull that was refused because nobody agreed to those who have the model. */
export function noConsentRefusal(
  model: string,
  nodes: readonly Pick<MeshNodeInfo, 'key' | 'name'>[],
  by: string,
): AuditEntry {
  const what = `did not fetch ${model}: no consent to fetch from ${consentNames(nodes)}`;
  return { event: 'refusal', what, about: model, by };
}
