/** What a promise rejects with; a test that expects a failure looks at it. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; details?: unknown }> {
  return await promise.then(
    () => {
      throw new Error('it was not rejected');
    },
    (thrown) => thrown,
  );
}
