import type { Jobs } from '@model-rtc/jobs';
import { type Digest, ModelRtcError, type Params, type ResultInput } from '@model-rtc/protocol';
import { type ChunkServer, createChunkServer, type RateLimiter } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import type { ReadsResults } from './types.ts';

interface JobResultsOptions {
  readonly jobs: Pick<Jobs, 'resultsFolder'>;
  readonly results: ReadsResults;
  readonly limiter: RateLimiter | undefined;
}

/** Results that one client may fetch at once; it asks `get_results` again for others. */
const MAX_OPEN = 1024;

/** Gives the results of jobs to those who own them. */
export class JobResults {
  readonly #options: JobResultsOptions;
  readonly #server: ChunkServer;
  /** The jobs whose results a token asked for lately: their chunks are named by the digest of the results. */
  readonly #asked = new Map<string, { readonly owner: string; readonly id: string; readonly digest: Digest }>();

  constructor(options: JobResultsOptions) {
    this.#options = options;
    this.#server = createChunkServer({ openModel: (digest) => this.#open(digest), limiter: options.limiter });
  }

  /** @throws ModelRtcError `not_found` when the job is another's, or has no results (any more) */
  async describe(owner: string, id: string): Promise<ResultInput<'get_results'>> {
    const { jobs, results } = this.#options;
    const opened = await results.openResults(await jobs.resultsFolder(owner, id));
    await opened.reader?.close();
    this.#remember(owner, id, opened.digest);
    const { form, manifest, emptyFolders } = opened;
    return { form, manifest, emptyFolders: [...emptyFolders] };
  }

  /** Whether these are results that this token has asked for. */
  mayRead(owner: string, digest: Digest): boolean {
    return this.#asked.has(`${owner} ${digest}`);
  }

  async serve(params: Params<'get_chunks'>, context: RequestContext<'get_chunks'>): Promise<ResultInput<'get_chunks'>> {
    return await this.#server(params, context);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  #remember(owner: string, id: string, digest: Digest): void {
    const key = `${owner} ${digest}`;
    this.#asked.delete(key);
    this.#asked.set(key, { owner, id, digest });
    const [oldest] = this.#asked.keys();
    if (oldest !== undefined && this.#asked.size > MAX_OPEN) this.#asked.delete(oldest);
  }

  /** The same files may be the results of several jobs, and some of those may be gone. */
  async #open(digest: Digest) {
    const { jobs, results } = this.#options;
    for (const { owner, id } of [...this.#asked.values()].filter((asked) => asked.digest === digest)) {
      const folder = await jobs.resultsFolder(owner, id).catch(() => undefined);
      const opened = folder === undefined ? undefined : await results.openResults(folder).catch(() => undefined);
      if (opened?.reader !== undefined) return opened.reader;
    }
    throw new ModelRtcError('not_found', 'These results are no longer at the worker. Run the job again with --again.');
  }
}
