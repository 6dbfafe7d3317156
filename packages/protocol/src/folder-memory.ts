/** Folders of up to so many characters are told apart by the whole of their names. */
const WHOLE_CHARS = 256;
const SAMPLE_CHARS = 64;

/**
 * What was found out about folders. The paths of a model share theirs, and a folder's name may be thousands of characters long:
 * comparing it with one that is known takes a tenth of the time that hashing it takes. Of long folders whose samples are the same,
 * the last is kept, so a folder that was seen before may be unknown.
 */
export class FolderMemory<T> {
  readonly #known = new Map<string, { readonly folder: string; readonly found: T }>();

  get(folder: string): T | undefined {
    const known = this.#known.get(sampleOf(folder));
    return known?.folder === folder ? known.found : undefined;
  }

  set(folder: string, found: T): void {
    this.#known.set(sampleOf(folder), { folder, found });
  }
}

function sampleOf(folder: string): string {
  if (folder.length <= WHOLE_CHARS) return folder;
  return `${folder.slice(0, SAMPLE_CHARS)}${folder.slice(-SAMPLE_CHARS)}${folder.length}`;
}
