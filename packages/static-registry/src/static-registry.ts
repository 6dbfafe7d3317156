import { LONGEST_PATIENCE_MS, readWhole } from '@model-rtc/http';
import { type Clock, type Digest, ModelRtcError, systemClock } from '@model-rtc/protocol';
import { registryError } from './format/errors.ts';
import { ModelList } from './format/model-list.ts';
import { dataPath, LIST_PATH } from './format/paths.ts';
import { parseStaticManifest, type StaticManifest } from './format/static-manifest.ts';
import { MAX_LIST_BYTES, MAX_STATIC_MANIFEST_BYTES } from './limits.ts';
import type { ListCache } from './store/list-cache.ts';
import { fileIn, type RegistryStore } from './store/types.ts';

export interface StaticRegistryOptions {
  readonly store: RegistryStore;
  readonly cache?: ListCache | undefined;
  /**
   * Looks at a list that was just read, or is still the one of last time, before it is used; throws to refuse it. A signature is
   * checked here.
   */
  readonly checkList?: ((bytes: Uint8Array, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1. */
  readonly random?: (() => number) | undefined;
}

/** How many manifests are kept in memory. */
const KEPT_MANIFESTS = 4;

/** Reads a static registry. Every answer is checked before it is given; nothing is written. */
export class StaticRegistry {
  readonly store: RegistryStore;
  readonly #options: StaticRegistryOptions;
  readonly #manifests = new Map<Digest, Promise<StaticManifest>>();
  #last: { readonly etag: string | undefined; readonly text: string; readonly list: ModelList } | undefined;

  constructor(options: StaticRegistryOptions) {
    this.store = options.store;
    this.#options = options;
  }

  get url(): string {
    return this.store.url;
  }

  /**
   * The list of models as it is now. A list that did not change since the last time does not come again.
   * @throws ModelRtcError `not_found` when there is no registry, `invalid_model` for something else, `network`, `busy`, `refused`
   */
  async list(signal?: AbortSignal | undefined): Promise<ModelList> {
    const known = this.#last ?? (await this.#fromCache());
    const answer = await readWhole(fileIn(this.store, LIST_PATH), {
      ...this.#reading(signal),
      maxBytes: MAX_LIST_BYTES,
      etag: known?.etag,
    });
    if (answer.kind === 'missing') {
      throw registryError(
        'registry_not_found',
        `There is no registry at ${this.url}: it has no ${LIST_PATH}. Check the address.`,
        { url: this.url },
      );
    }
    if (answer.kind === 'unchanged' && known !== undefined) {
      await this.#options.checkList?.(new TextEncoder().encode(known.text), signal);
      this.#last = known;
      return known.list;
    }
    if (answer.kind === 'unchanged') throw new ModelRtcError('network', `${this.url} gave no list of models.`);
    const { bytes } = answer;
    // The text of a list that begins with a byte order mark does not give its bytes back, which are checked the next time.
    const etag = bytes[0] === 0xef ? undefined : answer.etag;
    await this.#options.checkList?.(bytes, signal);
    const text = decode(bytes);
    const list = ModelList.parse(text);
    this.#last = { etag, text, list };
    if (etag !== undefined) await this.#options.cache?.write(this.url, { etag, text });
    return list;
  }

  /**
   * A manifest, checked against its own hash and against every rule of the format.
   * @throws ModelRtcError `not_found`, `verification_failed`, `invalid_model`, `network`, `busy`, `refused`
   */
  async manifest(hash: Digest, signal?: AbortSignal | undefined): Promise<StaticManifest> {
    const known = this.#manifests.get(hash);
    if (known !== undefined) return await known;
    const reading = this.#readManifest(hash, signal);
    this.#manifests.set(hash, reading);
    reading.catch(() => this.#manifests.delete(hash));
    const [oldest] = this.#manifests.keys();
    if (this.#manifests.size > KEPT_MANIFESTS && oldest !== undefined) this.#manifests.delete(oldest);
    return await reading;
  }

  async #readManifest(hash: Digest, signal: AbortSignal | undefined): Promise<StaticManifest> {
    const maxBytes = MAX_STATIC_MANIFEST_BYTES;
    const answer = await readWhole(fileIn(this.store, dataPath(hash)), { ...this.#reading(signal), maxBytes });
    if (answer.kind === 'found') return parseStaticManifest(answer.bytes, hash);
    throw registryError(
      'registry_invalid',
      `The registry's list names the manifest ${hash.slice(0, 12)}..., which is not there. Try again later, or tell the publisher.`,
      { hash },
    );
  }

  async #fromCache(): Promise<{ etag: string; text: string; list: ModelList } | undefined> {
    const cached = await this.#options.cache?.read(this.url);
    try {
      return cached === undefined ? undefined : { ...cached, list: ModelList.parse(cached.text) };
    } catch {
      return undefined;
    }
  }

  #reading(signal: AbortSignal | undefined) {
    const { clock = systemClock, random = Math.random } = this.#options;
    return { clock, random, signal, patienceMs: LONGEST_PATIENCE_MS };
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw registryError('registry_invalid', `The registry's ${LIST_PATH} is not UTF-8. Tell the publisher.`, {}, error);
  }
}
