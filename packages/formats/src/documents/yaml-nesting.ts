/** What a line starts with that may open collections: indentation, and `-`, `?`, `:`, anchors and tags followed by a space. */
const OPENERS = /^(?:[ \t]*(?:[-?:]|[&!][^ \t]*)(?=[ \t]))*[ \t]*/;

/**
 * An upper bound on how deeply a YAML text is nested, found without parsing it. A parser that calls itself for each level
 * could otherwise run out of stack, where V8 can end the whole process: it does so when a regular expression is compiled
 * there.
 *
 * Block collections are no deeper than the column where a line's content starts, flow collections no deeper than the
 * brackets that are open. Brackets in texts count too, so that the bound may be too high, never too low.
 */
export function yamlNestingBound(text: string): number {
  let deepestColumn = 0;
  let open = 0;
  let deepestOpen = 0;
  for (const line of text.split('\n')) {
    deepestColumn = Math.max(deepestColumn, OPENERS.exec(line)?.[0].length ?? 0);
    for (const character of line) {
      if (character === '[' || character === '{') deepestOpen = Math.max(deepestOpen, ++open);
      else if (character === ']' || character === '}') open = Math.max(0, open - 1);
    }
  }
  return deepestColumn + deepestOpen;
}
