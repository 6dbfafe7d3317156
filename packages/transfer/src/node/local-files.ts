import type { FileHere, LocalFiles } from '../core/sources/local-files.ts';
import type { LocalModels } from './local-spans.ts';

/** The files of the models on this machine, found by their SHA-256. */
export function registeredFiles(models: LocalModels): LocalFiles {
  return {
    name: 'models on this machine',
    async find(wanted, signal) {
      const open = new Map(
        wanted.flatMap(({ sha256, path }) => (sha256 === undefined ? [] : [[sha256, path] as const])),
      );
      const found = new Map<string, FileHere>();
      if (open.size === 0) return found;
      for await (const { digest, files } of models.list()) {
        if (signal?.aborted || open.size === 0) break;
        let offset = 0;
        for (const { sha256, size } of files) {
          const start = offset;
          offset += size;
          const path = open.get(sha256);
          if (path === undefined) continue;
          open.delete(sha256);
          found.set(path, { read: (at, into) => models.read(digest, start + at, into) });
        }
      }
      return found;
    },
  };
}
