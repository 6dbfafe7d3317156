import { createHash } from 'node:crypto';
import { LONGEST_PATIENCE_MS, type RemoteFile, readWhole } from '@model-rtc/http';
import { ModelRtcError } from '@model-rtc/protocol';
import type { LocalFiles } from '@model-rtc/transfer';
import { HubAccess, type HubAccessOptions } from './access/access.ts';
import { apiFetch } from './access/api-fetch.ts';
import { offlineError } from './access/errors.ts';
import { cachedFiles } from './download/cached-files.ts';
import { HubFileReader } from './download/hub-file.ts';
import { MAX_INFO_BYTES, MAX_TREE_PAGE_BYTES } from './limits.ts';
import { ASKED_FIELDS, type ModelFacts, readInfo } from './model/info.ts';
import { readTree } from './model/tree.ts';
import type { Hub, HubFile, HubModel, HubReference } from './types.ts';

/** Opens a hub, as the environment names it. It is reached when it is first asked. @throws ModelRtcError `bad_argument` */
export function openHub(options: HubAccessOptions): Hub {
  return new HttpHub(new HubAccess(options));
}

class HttpHub implements Hub {
  readonly #access: HubAccess;

  constructor(access: HubAccess) {
    this.#access = access;
  }

  get endpoint(): string {
    return this.#access.settings.endpoint;
  }

  get isOffline(): boolean {
    return this.#access.settings.isOffline;
  }

  async hasToken(): Promise<boolean> {
    return (await this.#access.asker()).hasToken;
  }

  async model(reference: HubReference, signal?: AbortSignal): Promise<HubModel> {
    const facts = await this.#info(reference, signal);
    const { repo, commit } = facts;
    const { listFiles } = await import('@huggingface/hub');
    const asker = await this.#access.asker({ repo });
    const fetch = apiFetch(this.#access, { maxBytes: MAX_TREE_PAGE_BYTES, asker, signal });
    // The commit, not the branch: it may move while the pages come.
    const entries = listFiles({ repo, revision: commit, recursive: true, hubUrl: this.endpoint, fetch });
    const files = await asAnswer(readTree(entries, repo), repo);
    return { ...facts, revision: reference.revision, endpoint: this.endpoint, files };
  }

  async commit(reference: HubReference, signal?: AbortSignal): Promise<string> {
    return (await this.#info(reference, signal)).commit;
  }

  cachedFiles(model: Pick<HubModel, 'repo' | 'commit'>): LocalFiles {
    return cachedFiles(this.#access.settings.cacheFolders, model);
  }

  file({ repo, commit }: Pick<HubModel, 'repo' | 'commit'>, path: string): RemoteFile {
    return new HubFileReader(this.#access, { repo, commit, path });
  }

  async readText(model: HubModel, path: string, maxBytes: number, signal?: AbortSignal): Promise<string> {
    const { clock, random, onBusy } = this.#access;
    const listed = model.files.find((file) => file.path === path);
    const missing = new ModelRtcError('not_found', `${model.repo} has no file ${path}.`);
    if (listed === undefined) throw missing;
    const reading = { clock, random, onBusy, signal, patienceMs: LONGEST_PATIENCE_MS, maxBytes };
    const answer = await readWhole(this.file(model, path), reading);
    if (answer.kind !== 'found') throw missing;
    requireHash(answer.bytes, listed, model.repo);
    return new TextDecoder().decode(answer.bytes);
  }

  async #info({ repo, revision }: HubReference, signal: AbortSignal | undefined): Promise<ModelFacts> {
    if (this.isOffline) throw offlineError();
    const { modelInfo } = await import('@huggingface/hub');
    const asker = await this.#access.asker({ repo, revision });
    const fetch = apiFetch(this.#access, { maxBytes: MAX_INFO_BYTES, asker, signal });
    const asked = { name: repo, revision: revision ?? 'main', additionalFields: [...ASKED_FIELDS] };
    const facts = readInfo(await asAnswer(modelInfo({ ...asked, hubUrl: this.endpoint, fetch }), repo));
    if (facts !== undefined) return facts;
    throw noAnswer(repo, this.endpoint);
  }
}

/** What the library throws itself is about an answer that it cannot read. */
async function asAnswer<T>(work: Promise<T>, repo: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ModelRtcError) throw error;
    throw ModelRtcError.because(
      error,
      'invalid_model',
      `The hub's answer about ${repo} cannot be read. Try again later.`,
    );
  }
}

function noAnswer(repo: string, endpoint: string): ModelRtcError {
  const sentence = `${endpoint} does not answer about ${repo} as a hub does. Check HF_ENDPOINT.`;
  return new ModelRtcError('invalid_model', sentence);
}

function requireHash(bytes: Uint8Array, { path, sha256, gitSha1 }: HubFile, repo: string): void {
  const found = sha256 === undefined ? gitHash(bytes) : createHash('sha256').update(bytes).digest('hex');
  const wanted = sha256 ?? gitSha1;
  if (found === wanted) return;
  const sentence = `${path} of ${repo} is not what the hub's list says: its hash is ${found} instead of ${wanted}. Try again later.`;
  throw new ModelRtcError('verification_failed', sentence, { details: { path, found, wanted } });
}

/** The SHA-1 of a git blob. */
function gitHash(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
