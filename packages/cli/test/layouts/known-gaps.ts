/** Checks of test/fixtures/layouts that imports do not meet yet. The list may only shrink. */
export const KNOWN_GAPS: readonly string[] = [];
