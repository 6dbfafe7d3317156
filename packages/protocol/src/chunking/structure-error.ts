/**
 * The bytes do not hold the structure that their first bytes promise. It never leaves this folder: the planner answers
 * it with plain cuts. Its own class keeps it apart from a reader's failure, which must reach the caller.
 */
export class StructureError extends Error {
  override readonly name = 'StructureError';
}
