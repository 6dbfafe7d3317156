import { ModelRtcError } from './errors.ts';

/**
 * The facts in an error's details that programs read. Each is written and read only here, so that no caller needs to know
 * the names that cross the wire. docs/protocol.md lists those that other programs may rely on.
 */

/** The other side has no connection of the requested kind. Trying again does not help; another kind may work. */
export function unavailableError(message: string): ModelRtcError {
  return new ModelRtcError('network', message, { details: { unavailable: true } });
}

export function isUnavailable({ details }: ModelRtcError): boolean {
  return details?.unavailable === true;
}

/** A model that is already here under a different alias than the requested one. */
export interface DuplicateModel {
  readonly id: string;
  readonly digest: string | undefined;
  /** The name that it has. */
  readonly alias: string | undefined;
  /** The requested name. */
  readonly wanted: string;
}

export function duplicateError(message: string, { id, digest, alias, wanted }: DuplicateModel): ModelRtcError {
  return new ModelRtcError('refused', message, { details: { id, digest, alias, wanted } });
}

/** @returns undefined for an error that is about something else. */
export function duplicateOf({ code, details }: ModelRtcError): DuplicateModel | undefined {
  return code === 'refused' && typeof details?.wanted === 'string' ? (details as unknown as DuplicateModel) : undefined;
}

/** Whether an error names a path of its machine, which other machines must not learn. */
export function namesLocalPath({ details }: ModelRtcError): boolean {
  return details?.path !== undefined || details?.folder !== undefined;
}

/** The file that an error is about: a path in the model, or on the machine that it happened on. */
export function fileOf({ details }: ModelRtcError): string | undefined {
  const file = details?.file ?? details?.path;
  return typeof file === 'string' ? file : undefined;
}
