import { join } from 'node:path';
import { modelFileMode } from '@model-rtc/files';
import type { ContentsFile, Digest, Manifest, ModelContents } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { MIN_SHARED_FILE_BYTES } from '../../core/limits.ts';

/** Finds whole files in model-rtc's own folders on this machine. */
export interface OwnFiles {
  /** Where the files of these contents are, by their SHA-256, as they were stored: they were not checked since. */
  find(contents: ModelContents): Promise<ReadonlyMap<Digest, OwnFile>>;
}

export interface OwnFile {
  readonly path: string;
  /** The folder of all models, or of all data; only what really lies in it is model-rtc's own. */
  readonly within: string;
  /**
   * The permission bits with which the file may get another name: it has the same bits under all of them. Without them, it is only
   * cloned.
   */
  readonly linkMode?: number | undefined;
}

/** What keeps whole files, each holder by its digest: the registry with its models, the cache of data. */
export interface FileHolders {
  locateChunks(digests: Iterable<Digest>): Promise<ReadonlyMap<Digest, { readonly model: Digest }>>;
  /** A holder's own files, by their SHA-256; none when it is gone. */
  filesOf(holder: Digest): Promise<FilesHere>;
}

type FilesHere = ReadonlyMap<Digest, OwnFile>;

/** The registry's own files. A model of links has none. */
export function ownFiles(registry: Pick<Registry, 'locateChunks' | 'find' | 'manifest' | 'paths'>): OwnFiles {
  return ownFilesOf({
    locateChunks: (digests) => registry.locateChunks(digests),
    async filesOf(model) {
      const entry = await registry.find(model);
      if (entry === undefined || entry.linked) return new Map();
      const { files } = await registry.manifest(model);
      return filesIn(entry.localPath, files, {
        within: registry.paths.models,
        linkMode: modelFileMode(process.umask()),
      });
    },
  });
}

/** The files of a manifest in their folder. */
export function filesIn(folder: string, files: Manifest['files'], own: Omit<OwnFile, 'path'>): FilesHere {
  return new Map(files.map(({ path, sha256 }) => [sha256, { ...own, path: join(folder, ...path.split('/')) }]));
}

/** Finds files by their first chunk, which is in the chunk index. */
export function ownFilesOf({ locateChunks, filesOf }: FileHolders): OwnFiles {
  return {
    async find(contents) {
      const wanted = firstChunks(contents);
      const located = await locateChunks(wanted.keys());
      const holders = new Map<Digest, FilesHere>();
      const found = new Map<Digest, OwnFile>();
      for (const [chunk, { model }] of located) {
        const known = holders.get(model) ?? (await filesOf(model).catch(() => new Map()));
        holders.set(model, known);
        for (const { sha256 } of wanted.get(chunk) ?? []) {
          const file = sha256 === undefined ? undefined : known.get(sha256);
          if (sha256 !== undefined && file !== undefined) found.set(sha256, file);
        }
      }
      return found;
    },
  };
}

/** The first chunks of files that are large enough, each with the files that begin with it. */
function firstChunks({ files, chunks = [] }: ModelContents): Map<Digest, ContentsFile[]> {
  const starts = new Map<number, Digest | undefined>();
  let offset = 0;
  for (const { digest, size } of chunks) {
    starts.set(offset, digest);
    offset += size;
  }
  const wanted = new Map<Digest, ContentsFile[]>();
  let start = 0;
  for (const file of files) {
    const chunk = file.size < MIN_SHARED_FILE_BYTES ? undefined : starts.get(start);
    if (chunk !== undefined) wanted.set(chunk, [...(wanted.get(chunk) ?? []), file]);
    start += file.size;
  }
  return wanted;
}
