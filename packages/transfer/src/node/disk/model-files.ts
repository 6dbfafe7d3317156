import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, atStorageSync, errorCode, setFileTime } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { type Extent, extentsAt, type Layout, type LayoutFile } from '../../core/layout/layout.ts';
import { FLUSH_CONCURRENCY, MAX_OPEN_FILES } from '../../core/limits.ts';
import { WriteBehind } from './write-behind.ts';

/** Never follows a link in the place of a staged file. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
const PRIVATE_MODE = 0o600;
/** What a whole file gets; the registry lets its umask decide when it installs it. Never executable, whatever the sender says. */
const MODEL_FILE_MODE = 0o644;

/**
 * The files of a model while they are being filled, each byte at its offset, with holes where chunks are missing. A file that
 * has another name, in an installed model, is never written to: a copy takes its place where bytes differ. Synchronous, since it
 * runs in a thread of its own.
 */
export class ModelFiles {
  readonly #folder: string;
  readonly #layout: Layout;
  /** Open files, the least recently used first. */
  readonly #open = new Map<number, number>();
  readonly #folders = new Set<string>();
  /** Files that have no other name. */
  readonly #private = new Set<number>();
  readonly #writeBehind = new WriteBehind();

  constructor(folder: string, layout: Layout) {
    this.#folder = folder;
    this.#layout = layout;
    this.#makeFolder(folder);
  }

  write(place: number, bytes: Uint8Array): void {
    for (const extent of extentsAt(this.#layout, place)) this.#writeExtent(extent, bytes);
  }

  /** Fills `into` with the chunk at this place; false when the files are too short. */
  read(place: number, into: Uint8Array): boolean {
    return extentsAt(this.#layout, place).every((extent) => this.#readExtent(extent, into));
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  /** Sets every file's size and mode, creates the empty ones, and resolves when everything is on the disk itself. */
  async flush(): Promise<void> {
    this.close();
    const rest = this.#layout.files.values();
    const flushNext = async (): Promise<void> => {
      for (const file of rest) await atStorage(this.#pathOf(file), 'written', () => this.#flushFile(file));
    };
    await Promise.all(Array.from({ length: FLUSH_CONCURRENCY }, flushNext));
    for (const folder of [...this.#folders].reverse()) await flushFolder(folder);
  }

  #writeExtent({ file, fileOffset, chunkOffset, length }: Extent, bytes: Uint8Array): void {
    if (this.#isShared(file)) {
      if (this.#holds({ file, fileOffset, chunkOffset, length }, bytes)) return;
      this.#part(file);
    }
    const fd = this.#fd(file);
    const path = this.#pathOf(this.#layout.files[file] as LayoutFile);
    atStorageSync(path, 'written', () => {
      for (let done = 0; done < length; ) {
        done += writeSync(fd, bytes, chunkOffset + done, length - done, fileOffset + done);
      }
    });
    this.#writeBehind.wrote(path, length);
  }

  #readExtent({ file, fileOffset, chunkOffset, length }: Extent, into: Uint8Array): boolean {
    const fd = this.#fd(file);
    for (let done = 0; done < length; ) {
      const read = readSync(fd, into, chunkOffset + done, length - done, fileOffset + done);
      if (read === 0) return false;
      done += read;
    }
    return true;
  }

  #isShared(file: number): boolean {
    if (this.#private.has(file)) return false;
    if (fstatSync(this.#fd(file)).nlink > 1) return true;
    this.#private.add(file);
    return false;
  }

  #holds(extent: Extent, bytes: Uint8Array): boolean {
    const { chunkOffset, length } = extent;
    const there = new Uint8Array(length);
    return (
      this.#readExtent({ ...extent, chunkOffset: 0 }, there) &&
      Buffer.compare(there, bytes.subarray(chunkOffset, chunkOffset + length)) === 0
    );
  }

  /** Makes the file a copy of its own. */
  #part(file: number): void {
    this.#replaceByCopy(this.#pathOf(this.#layout.files[file] as LayoutFile));
    closeSync(this.#open.get(file) as number);
    this.#open.delete(file);
    this.#private.add(file);
  }

  #replaceByCopy(path: string): void {
    // Beside the files' folder, so that a leftover of a killed process is not taken for one of them.
    const copy = join(dirname(this.#folder), 'parted');
    copyFileSync(path, copy, constants.COPYFILE_FICLONE);
    renameSync(copy, path);
  }

  #fd(file: number): number {
    const known = this.#open.get(file);
    if (known !== undefined) {
      this.#open.delete(file);
      this.#open.set(file, known);
      return known;
    }
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= MAX_OPEN_FILES) {
      this.#open.delete(oldest[0]);
      closeSync(oldest[1]);
    }
    const path = this.#pathOf(this.#layout.files[file] as LayoutFile);
    const fd = atStorageSync(path, 'opened', () => openSync(path, OPEN_FLAGS, PRIVATE_MODE));
    this.#open.set(file, fd);
    return fd;
  }

  async #flushFile(file: LayoutFile): Promise<void> {
    const path = this.#pathOf(file);
    const handle = await this.#openToFlush(path, file.size);
    try {
      const { size, nlink } = await handle.stat();
      // It may be longer when something else wrote into the staging folder.
      if (size !== file.size) await handle.truncate(file.size);
      // A shared file has its mode and time already, and changing them would change the other model's file.
      if (nlink === 1) await this.#settle(handle, file);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Before the sync: a time that a power cut undid would make the file look changed. */
  async #settle(handle: FileHandle, { mtimeMs }: LayoutFile): Promise<void> {
    await handle.chmod(MODEL_FILE_MODE).catch(ignoreUnsupported);
    if (mtimeMs !== undefined) await setFileTime(handle, mtimeMs).catch(ignoreUnsupported);
  }

  /** Someone may have appended to a shared file under its other name: copy the file before cutting it. */
  async #openToFlush(path: string, wantedBytes: number): Promise<FileHandle> {
    const handle = await open(path, OPEN_FLAGS, PRIVATE_MODE);
    try {
      const { size, nlink } = await handle.stat();
      if (nlink === 1 || size === wantedBytes) return handle;
      this.#replaceByCopy(path);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return await open(path, OPEN_FLAGS, PRIVATE_MODE);
  }

  #pathOf(file: LayoutFile): string {
    const path = join(this.#folder, ...file.path.split('/'));
    this.#makeFolder(dirname(path));
    return path;
  }

  #makeFolder(folder: string): void {
    if (this.#folders.has(folder)) return;
    atStorageSync(folder, 'created', () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
    // The folder after its parents, so that the reverse is the order to flush in.
    if (folder !== this.#folder) this.#makeFolder(dirname(folder));
    this.#folders.add(folder);
  }
}

/** A file's name is on the disk once its folder is. Windows cannot flush a folder, and does not need it. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync().catch(ignoreUnsupported);
  } finally {
    await handle.close();
  }
}

const UNSUPPORTED = new Set(['EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS']);

/** exFAT has no modes, and some network shares cannot flush a folder; whoever uses them accepts that. */
function ignoreUnsupported(error: unknown): void {
  if (!UNSUPPORTED.has(errorCode(error) ?? '')) throw ModelRtcError.from(error);
}
