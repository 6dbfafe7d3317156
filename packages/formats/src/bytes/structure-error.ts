/**
 * The bytes do not hold the structure that their first bytes promise. A class of its own keeps it apart from a reader's
 * failure, which must reach the caller.
 */
export class StructureError extends Error {
  override readonly name: string = 'StructureError';
}

/** The bytes end before the structure does; what follows them elsewhere might complete it. */
export class EndsEarlyError extends StructureError {
  override readonly name = 'EndsEarlyError';
}

/** Resolves to undefined when the structure is broken. */
export async function unlessBroken<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof StructureError) return undefined;
    throw error;
  }
}
