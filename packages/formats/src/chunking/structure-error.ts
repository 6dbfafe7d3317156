/**
 * The bytes do not hold the structure that their first bytes promise. The planner never lets it out: it answers with
 * plain cuts. Whoever reads a structure directly meets it. Its own class keeps it apart from a reader's failure, which must reach the caller.
 */
export class StructureError extends Error {
  override readonly name = 'StructureError';
}
