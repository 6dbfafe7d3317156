import type { Context } from '../../console/context.ts';
import { suggestedSession } from '../../console/suggested-session.ts';

/**
 * The option that names the same worker in another command.
 * @param given - as the user named the worker; undefined for the session in the environment, which the other command finds too
 */
export async function workerFlag(context: Context, given: string | undefined): Promise<string> {
  return given === undefined ? '' : ` --worker ${await suggestedSession(context, { given })}`;
}
