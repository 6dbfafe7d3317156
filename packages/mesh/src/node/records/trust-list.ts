import type { CatalogBook } from '../../core/catalog/catalog-book.ts';
import { MAX_MESH_MODELS } from '../../core/limits.ts';
import type { JoinedMesh, TrustFile } from '../state/mesh-folders.ts';

/** Whose catalogs count on this machine: everyone's but those that its owner distrusts. */
export class TrustList {
  readonly #file: JoinedMesh['trust'];
  #read: TrustFile | undefined;
  #distrusted: ReadonlySet<string> = new Set();

  constructor(file: JoinedMesh['trust']) {
    this.#file = file;
  }

  isTrusted(key: string): boolean {
    return !this.#distrusted.has(key);
  }

  /** Takes in what another process of this machine changed. @returns whether something did */
  async reload(): Promise<boolean> {
    const read = await this.#file.read();
    if (read === this.#read) return false;
    this.#read = read;
    this.#distrusted = new Set(read.distrusted.map(({ key }) => key));
    return true;
  }
}

/** Says why models of a node are missing here; undefined where none are. */
export function leftOutProblem(catalogs: CatalogBook, key: string, isTrusted: boolean): string | undefined {
  const leftOut = catalogs.leftOut(key);
  if (leftOut === 0) return undefined;
  const all = catalogs.headOf(key)?.modelCount ?? 0;
  const share = isTrusted ? 'each has an equal share' : 'one that is not trusted gets what the others leave';
  return `About ${leftOut} of its ${all} models are left out here: the nodes of the mesh announce more than ${MAX_MESH_MODELS} together, and ${share}.`;
}
