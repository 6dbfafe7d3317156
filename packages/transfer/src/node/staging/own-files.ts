import { join } from 'node:path';
import type { ContentsFile, Digest, ModelContents } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { MIN_SHARED_FILE_BYTES } from '../../core/limits.ts';

/** Finds whole files in the registry's own folders on this machine. */
export interface OwnFiles {
  /** Where the files of a model are, by their SHA-256, as they were registered: they were not checked since. */
  find(contents: ModelContents): Promise<ReadonlyMap<Digest, OwnFile>>;
}

export interface OwnFile {
  readonly path: string;
  /** The folder of all models; only what really lies in it belongs to the registry. */
  readonly modelsFolder: string;
}

type ModelFilesHere = ReadonlyMap<Digest, OwnFile>;

/** Finds files by their first chunk, which is in the chunk index. A model of links has no files of its own. */
export function ownFiles(registry: Pick<Registry, 'locateChunks' | 'find' | 'manifest' | 'paths'>): OwnFiles {
  const filesOf = async (model: Digest): Promise<ModelFilesHere> => {
    const entry = await registry.find(model);
    if (entry === undefined || entry.linked) return new Map();
    const { files } = await registry.manifest(model);
    return new Map(
      files.map(({ path, sha256 }) => [
        sha256,
        { path: join(entry.localPath, ...path.split('/')), modelsFolder: registry.paths.models },
      ]),
    );
  };
  return {
    async find(contents) {
      const wanted = firstChunks(contents);
      const located = await registry.locateChunks(wanted.keys());
      const models = new Map<Digest, ModelFilesHere>();
      const found = new Map<Digest, OwnFile>();
      for (const [chunk, { model }] of located) {
        const known = models.get(model) ?? (await filesOf(model).catch(() => new Map()));
        models.set(model, known);
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
