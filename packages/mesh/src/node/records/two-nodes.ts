import type { CatalogBook } from '../../core/catalog/catalog-book.ts';
import { CATALOG_TTL_MS, MAX_SKEW_MS } from '../../core/limits.ts';
import type { ProblemBook } from './problem-book.ts';

const PROBLEM =
  'Two machines announce with this key: a data folder was copied. Stop one of them, remove keys/identity.key there, and join it again.';

/** Keys that two machines announce with, for every process of this machine. It ends when nothing was seen of a second one for some minutes. */
export class TwoNodes {
  readonly #catalogs: Pick<CatalogBook, 'noteDoubled' | 'isDoubled'>;
  readonly #problems: ProblemBook;
  readonly #wallMs: () => number;

  /** @param wallMs the date: milliseconds since 1970 */
  constructor(catalogs: Pick<CatalogBook, 'noteDoubled' | 'isDoubled'>, problems: ProblemBook, wallMs: () => number) {
    this.#catalogs = catalogs;
    this.#problems = problems;
    this.#wallMs = wallMs;
  }

  note(key: string): void {
    this.#catalogs.noteDoubled(key);
    this.#problems.note(key, PROBLEM);
  }

  /** As far as any process of this machine has seen it. */
  has(key: string): boolean {
    if (this.#catalogs.isDoubled(key)) return true;
    const noted = this.#problems.find(key);
    return noted?.problem === PROBLEM && Math.abs(this.#wallMs() - noted.atMs) < CATALOG_TTL_MS + MAX_SKEW_MS;
  }

  /** Takes the problem back where it is over. */
  settle(keys: Iterable<string>): void {
    for (const key of keys) if (this.#problems.of(key) === PROBLEM && !this.has(key)) void this.#problems.clear(key);
  }
}
