import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '@model-rtc/files';
import { OWN_FOLDER } from '@model-rtc/protocol';

const STATS_AT_ONCE = 16;
/** Files and folders that are counted in what an import leaves out, all together: caches and logs can hold millions. */
const MAX_COUNTED = 20_000;

export interface FoundPath {
  /** Inside the model. */
  readonly path: string;
  readonly absolutePath: string;
}

/** What is in a folder that is left out. */
export interface FolderContent {
  /** Undefined where it was not counted to its end. */
  readonly bytes: number | undefined;
  readonly files: number | undefined;
  /** Files in it that are wanted all the same. */
  readonly wanted: readonly FoundPath[];
}

/** Counts what is in the folders that one import leaves out, within a limit that they share. Follows no links. */
export class LeftOutFolders {
  readonly #wants: (path: string) => boolean;
  readonly #maxEntries: number;
  #entries = 0;

  /**
   * @param wants - whether a file is taken all the same; undefined when none is
   */
  constructor(wants: ((path: string) => boolean) | undefined, maxEntries: number) {
    this.#wants = wants ?? (() => false);
    // Nothing that is wanted may be missed, so that only the import's own limit counts then.
    this.#maxEntries = wants === undefined ? MAX_COUNTED : maxEntries;
  }

  async lookThrough(folder: FoundPath): Promise<FolderContent> {
    const count: Count = { bytes: 0, files: 0, wanted: [], isWhole: true };
    const open = [folder];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      open.push(...(await this.#lookInto(next, count)));
    const { bytes, files, wanted, isWhole } = count;
    return isWhole ? { bytes, files, wanted } : { bytes: undefined, files: undefined, wanted };
  }

  /** Gives the folders in it. What cannot be read is not counted: it is left out in any case. */
  async #lookInto({ path, absolutePath }: FoundPath, count: Count): Promise<FoundPath[]> {
    const isFull = this.#entries >= this.#maxEntries;
    const entries = isFull ? undefined : await readdir(absolutePath, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) {
      count.isWhole = false;
      return [];
    }
    this.#entries += entries.length;
    const below = entries.map((entry) => ({
      entry,
      path: `${path}/${entry.name.normalize('NFC')}`,
      absolutePath: join(absolutePath, entry.name),
    }));
    const folders = below.filter(({ entry }) => entry.isDirectory());
    const files = below.filter(({ entry }) => !entry.isDirectory());
    await mapLimit(files, STATS_AT_ONCE, async (file) => await this.#countFile(file, count));
    return folders.filter(({ entry }) => entry.name.toLowerCase() !== OWN_FOLDER);
  }

  async #countFile({ path, absolutePath }: FoundPath, count: Count): Promise<void> {
    if (this.#wants(path)) {
      count.wanted.push({ path, absolutePath });
      return;
    }
    const stats = await lstat(absolutePath).catch(() => undefined);
    count.files += 1;
    if (stats?.isFile()) count.bytes += stats.size;
  }
}

interface Count {
  bytes: number;
  files: number;
  isWhole: boolean;
  readonly wanted: FoundPath[];
}
