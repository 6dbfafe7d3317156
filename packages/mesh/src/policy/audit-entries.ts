import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import type { AuditEntry } from './audit.ts';

/** A node that gave a part of a model. */
export interface PullGiver {
  readonly name: string;
  readonly bytes: number;
}

/** What a pull from nodes of a mesh came to. */
export interface PullOutcome {
  /** As people call the model. */
  readonly model: string;
  readonly digest?: Digest | undefined;
  /** That came, also of a model that did not come whole. */
  readonly bytes?: number | undefined;
  /** Those that gave something. */
  readonly from: readonly PullGiver[];
  /** What made it fetch: a command, a rule, the HTTP bridge. */
  readonly by: string;
  /** Why it ended early. */
  readonly error?: ModelRtcError | undefined;
}

/** A model that was fetched from nodes of a mesh, or could not be. */
export function pullEntry({ model, digest, bytes, from, by, error }: PullOutcome): AuditEntry {
  const source = sourceText(from);
  const what =
    error === undefined ? `fetched ${model}${source}` : `could not fetch ${model}${source}: ${error.message}`;
  return { event: 'download', what, about: digest ?? model, bytes, by, nodes: nodesOf(from) };
}

/** ` from anna, ben`; nothing where nobody gave anything. */
export function sourceText(from: readonly PullGiver[]): string {
  return from.length === 0 ? '' : ` from ${from.map(({ name }) => name).join(', ')}`;
}

export function nodesOf(from: readonly PullGiver[]): AuditEntry['nodes'] {
  return from.length === 0 ? undefined : from.map(({ name, bytes }) => ({ name, bytes }));
}

/** A pull that was refused because nobody agreed to those who have the model. @param error - as `noConsentError` makes it */
export function noConsentEntry(model: string, { details }: ModelRtcError, by: string): AuditEntry {
  const from = typeof details?.from === 'string' ? details.from : 'those who have it';
  return { event: 'refusal', what: `did not fetch ${model}: no consent to fetch from ${from}`, about: model, by };
}
