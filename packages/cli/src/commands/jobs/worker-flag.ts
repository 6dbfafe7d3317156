import { isTokenText } from '../../console/format.ts';

/**
 * The option that names the same worker in another command. A token is a secret, and so is never repeated.
 * @param given - as the user named the worker; undefined for the session in the environment
 */
export function workerFlag(given: string | undefined): string {
  if (given === undefined) return '';
  return /^(@[A-Za-z0-9_./~-]+|[A-Za-z0-9][A-Za-z0-9_-]*)$/.test(given) && !isTokenText(given)
    ? ` --worker ${given}`
    : ' --worker SESSION';
}
