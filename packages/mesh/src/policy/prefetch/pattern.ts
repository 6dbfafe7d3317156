/**
 * Whether a text fits a pattern with `*` (any characters) and `?` (one), without regard to case. It takes time in proportion to the product of
 * the two lengths at most: names are chosen by other machines.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), text.toLowerCase()];
  let [at, from] = [0, 0];
  // Where to go on when what follows the last star does not fit: the star takes one more character.
  let [star, taken] = [-1, 0];
  while (from < given.length) {
    if (wanted[at] === '*') {
      [star, taken] = [at, from];
      at++;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      taken++;
      [at, from] = [star + 1, taken];
    } else return false;
  }
  while (wanted[at] === '*') at++;
  return at === wanted.length;
}
