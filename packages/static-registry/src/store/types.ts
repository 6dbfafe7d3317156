import type { FileAnswer, ReadOptions, RemoteFile } from '@model-rtc/http';

/** Where the files of a static registry are. Each call is one attempt. */
export interface RegistryStore {
  /** The registry's address, without a slash at its end, a password or a query. */
  readonly url: string;
  /**
   * Reads a file of the registry, `models.json` or one in `data/`.
   * @throws ModelRtcError `network`, `timeout`; `busy` with `details.retryAfterMs` when it asks to wait; `refused`; `storage`
   */
  read(path: string, options?: ReadOptions): Promise<FileAnswer>;
}

/** A file of a registry, to be read in several attempts. */
export function fileIn(store: RegistryStore, path: string): RemoteFile {
  return { url: `${store.url}/${path}`, read: (options) => store.read(path, options) };
}
