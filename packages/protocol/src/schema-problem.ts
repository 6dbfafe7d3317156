import type { ZodError } from 'zod';
import type { ErrorCode } from './errors.ts';

/**
 * The first rule of a schema that a value breaks, and where: `files.3.size: Too big`.
 *
 * @param root - what to call the value itself; when left out, a problem with all of it has no place.
 */
export function schemaProblem({ issues: [issue] }: ZodError, root = ''): string {
  const where = issue?.path.join('.') || root;
  return `${where === '' ? '' : `${where}: `}${issue?.message ?? 'unknown'}`;
}

/** The code for parameters that break their schema: a manifest that does describes no model that there can be. */
export function schemaErrorCode({ issues: [issue] }: ZodError, otherwise: ErrorCode): ErrorCode {
  return issue?.path[0] === 'manifest' ? 'invalid_model' : otherwise;
}
