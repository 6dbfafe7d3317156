import { ModelRtcError } from './errors.ts';

/**
 * What programs read of an error's details: each fact is written and read here alone, so that no caller knows the names
 * that cross the wire. docs/protocol.md lists those that other programs may rely on.
 */

/** The other side has no connection of the kind that was asked for: trying again is no use, another kind may work. */
export function unavailableError(message: string): ModelRtcError {
  return new ModelRtcError('network', message, { details: { unavailable: true } });
}

export function isUnavailable({ details }: ModelRtcError): boolean {
  return details?.unavailable === true;
}

/** A model that is here already under another alias than the one that was asked for. */
export interface DuplicateModel {
  readonly id: string;
  readonly digest: string | undefined;
  /** The name that it has. */
  readonly alias: string | undefined;
  /** The name that was asked for. */
  readonly wanted: string;
}

export function duplicateError(message: string, { id, digest, alias, wanted }: DuplicateModel): ModelRtcError {
  return new ModelRtcError('refused', message, { details: { id, digest, alias, wanted } });
}

/** @returns undefined for an error that is about something else. */
export function duplicateOf({ code, details }: ModelRtcError): DuplicateModel | undefined {
  return code === 'refused' && typeof details?.wanted === 'string' ? (details as unknown as DuplicateModel) : undefined;
}

/** Whether an error names a path of the machine that it happened on, which is no business of another. */
export function namesLocalPath({ details }: ModelRtcError): boolean {
  return details?.path !== undefined || details?.folder !== undefined;
}

/** The file that an error is about: a path in the model, or on the machine that it happened on. */
export function fileOf({ details }: ModelRtcError): string | undefined {
  const file = details?.file ?? details?.path;
  return typeof file === 'string' ? file : undefined;
}
