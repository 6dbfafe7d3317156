import type { Context } from './context.ts';
import { isTokenText, shellText } from './format.ts';
import { parseSession } from './session-argument.ts';

/** Stands for a session that has no name here. A token is a secret, so no suggestion repeats one. */
const UNNAMED = 'SESSION';

export interface SuggestedWorker {
  /** The session as the person gave it, or the one in the environment. */
  readonly given?: string | undefined;
  /** The worker that the command has to reach; when it is left out, that of the session. */
  readonly workerKey?: string | undefined;
}

/**
 * What to write for a session in a command that a message suggests: what the person typed, or the name under which the worker
 * is saved here. Without a worker, the only one that is saved.
 */
export async function suggestedSession(
  { home, runtime }: Pick<Context, 'home' | 'runtime'>,
  { given = runtime.env.MODEL_RTC_SESSION, workerKey }: SuggestedWorker,
): Promise<string> {
  const text = given?.trim() ?? '';
  const { SavedWorkers } = await import('./saved-workers.ts');
  try {
    const saved = (await SavedWorkers.open(home)).list();
    if (workerKey === undefined && text === '') return saved.length === 1 ? (saved[0]?.name ?? UNNAMED) : UNNAMED;
    if (workerKey === undefined && !isTokenText(text)) return shellText(text);
    const key = workerKey ?? Buffer.from((await parseSession(text, home)).workerKey).toString('hex');
    return saved.find((worker) => worker.workerKey === key)?.name ?? UNNAMED;
  } catch {
    // A suggestion is no reason to fail when the settings are damaged.
    return UNNAMED;
  }
}
