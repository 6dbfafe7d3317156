/** Waits for a state. Jest's own limit ends a wait for one that never comes. */
export async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The code and message of what a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<{ code: string; message: string; cause: unknown }> {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; message: string; cause: unknown };
  }
  throw new Error('it did not fail');
}
