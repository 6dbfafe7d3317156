import { createHash } from 'node:crypto';
import { type HubContent, type StoredFile, storeFile } from './contents.ts';

export interface RepositoryOptions {
  readonly files: Readonly<Record<string, HubContent>>;
  /** The branch that the files are on; `main` by default. */
  readonly branch?: string | undefined;
  readonly gated?: 'auto' | 'manual' | undefined;
  readonly isPrivate?: boolean | undefined;
  /** What the card says: `license`, `base_model` ... */
  readonly card?: Readonly<Record<string, unknown>> | undefined;
  /** What the hub read of `config.json`: `architectures`, `model_type`. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly libraryName?: string | undefined;
  readonly pipelineTag?: string | undefined;
  readonly parameters?: number | undefined;
  /** From this size on, files are kept by Git LFS: 1024 by default. */
  readonly largeBytes?: number | undefined;
  /** Whether large files are in Xet storage too. */
  readonly hasXet?: boolean | undefined;
}

type Files = ReadonlyMap<string, StoredFile>;

/** A repository of the local hub, with all commits that it ever had. */
export class Repository {
  readonly name: string;
  options: RepositoryOptions;
  readonly #commits = new Map<string, Files>();
  readonly #branches = new Map<string, string>();
  /** Whose tokens may read it, where it is gated or private. */
  readonly readers = new Set<string>();

  constructor(name: string, options: RepositoryOptions) {
    this.name = name;
    this.options = options;
    this.push(options.files, options.branch);
  }

  /** Makes a commit of exactly these files, and moves the branch to it. @returns the commit */
  push(files: Readonly<Record<string, HubContent>>, branch = 'main'): string {
    const { largeBytes = 1024, hasXet = false } = this.options;
    const stored = new Map(
      Object.entries(files).map(([path, content]) => [path, storeFile(content, largeBytes, hasXet)]),
    );
    const text = JSON.stringify([this.name, this.#commits.size, [...stored].map(([path, { oid }]) => [path, oid])]);
    const commit = createHash('sha1').update(text).digest('hex');
    this.#commits.set(commit, stored);
    this.#branches.set(branch, commit);
    return commit;
  }

  /** Gives a tag or another branch to a commit. */
  tag(name: string, commit: string): void {
    this.#branches.set(name, commit);
  }

  /** The commit that a revision names now. */
  commitOf(revision: string): string | undefined {
    return (
      this.#branches.get(revision === 'HEAD' ? 'main' : revision) ??
      (this.#commits.has(revision) ? revision : undefined)
    );
  }

  filesAt(commit: string): Files {
    return this.#commits.get(commit) ?? new Map();
  }

  /** A file by its SHA-256, as its storage knows it. */
  largeFile(sha256: string): StoredFile | undefined {
    for (const files of this.#commits.values()) {
      for (const file of files.values()) if (file.sha256 === sha256) return file;
    }
    return undefined;
  }
}
