import { readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  fileVersion,
  isMissing,
  makeFolder,
  removeTemporaries,
  storageError,
  withLock,
  writeFileAtomic,
} from '@model-rtc/files';
import { type Log, silentLog } from '@model-rtc/protocol';
import type * as z from 'zod';

export interface JsonFileOptions<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
  /** What an absent file stands for. */
  readonly empty: T;
  /** Permission bits of the file; its folder is for its user alone. */
  readonly mode?: number | undefined;
  readonly log?: Log | undefined;
}

/** A small file that a person can read, which several processes change. A damaged one is kept beside, and a new one begun. */
export class JsonFile<T> {
  readonly #options: JsonFileOptions<T>;
  #cached: { readonly version: string | undefined; readonly value: T } | undefined;

  constructor(options: JsonFileOptions<T>) {
    this.#options = options;
  }

  /** @throws ModelRtcError `storage` when it cannot be read */
  async read(): Promise<T> {
    const { path } = this.#options;
    // The version before the content: a change in between is read again next time.
    const version = await fileVersion(path);
    if (this.#cached === undefined || this.#cached.version !== version) {
      this.#cached = { version, value: version === undefined ? this.#options.empty : await this.#parse() };
    }
    return this.#cached.value;
  }

  /** Writes what `change` makes of the current content, under a lock. @throws ModelRtcError `storage`, `storage_full` */
  async update(change: (value: T) => T): Promise<T> {
    const { path, mode = 0o600 } = this.#options;
    await makeFolder(dirname(path), 0o700);
    return await withLock(`${path}.lock`, {}, async () => {
      await removeTemporaries(path);
      const before = await this.read();
      const after = change(before);
      if (after !== before) await writeFileAtomic(path, `${JSON.stringify(after, null, 2)}\n`, { mode });
      this.#cached = undefined;
      return after;
    });
  }

  async #parse(): Promise<T> {
    const { path, schema, empty, log = silentLog } = this.#options;
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return empty;
      throw storageError(error, path, 'read');
    }
    const value = parseJson(text);
    const parsed = value === undefined ? undefined : schema.safeParse(value);
    if (parsed?.success) return parsed.data;
    const kept = `${path.replace(/\.json$/, '')}.corrupted.${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`;
    await rename(path, kept).catch(() => undefined);
    log.warn({ path, kept }, `${path} is damaged. It is kept as ${kept}, and a new one is begun.`);
    return empty;
  }
}

/** JSON has no `undefined`, so that stands for text that is not JSON: also where a schema takes it for an absent file. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
