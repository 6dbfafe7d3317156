import { answerFile, type FileAnswer, type ReadOptions, type RemoteFile, rangeHeaders, readUrl } from '@model-rtc/http';
import { ModelRtcError } from '@model-rtc/protocol';
import type { HubAccess } from '../access/access.ts';
import { hubError } from '../access/errors.ts';

export interface HubFilePlace {
  readonly repo: string;
  readonly commit: string;
  readonly path: string;
}

/** A file of a repository at one commit. Large ones lie on other servers, at signed addresses that expire. */
export class HubFileReader implements RemoteFile {
  readonly url: string;
  readonly #access: HubAccess;
  readonly #place: HubFilePlace;
  /** The signed address, once the hub told it. */
  #signed: string | undefined;
  /** One request finds out where the file lies, for all that wait. */
  #finding: Promise<unknown> | undefined;

  constructor(access: HubAccess, place: HubFilePlace) {
    this.#access = access;
    this.#place = place;
    const path = place.path.split('/').map(encodeURIComponent).join('/');
    this.url = `${access.settings.endpoint}/${place.repo}/resolve/${place.commit}/${path}`;
  }

  async read(options: ReadOptions): Promise<FileAnswer> {
    await this.#finding?.catch(() => {});
    const known = this.#signed;
    if (known !== undefined) {
      const answer = await this.#readSigned(known, options);
      if (answer !== undefined) return answer;
    }
    const reading = this.#readFromHub(options);
    this.#finding = reading;
    try {
      return await reading;
    } finally {
      if (this.#finding === reading) this.#finding = undefined;
    }
  }

  /** Undefined when the address is no longer good. */
  async #readSigned(url: string, options: ReadOptions): Promise<FileAnswer | undefined> {
    try {
      return await readUrl(this.#access.client, { url }, options);
    } catch (error) {
      const known = ModelRtcError.from(error);
      if (known.code !== 'refused' || options.signal?.aborted) throw unsigned(known);
      if (this.#signed === url) this.#signed = undefined;
      return undefined;
    }
  }

  async #readFromHub(options: ReadOptions): Promise<FileAnswer> {
    const { url } = this;
    const answer = await this.#access.ask({ url, headers: rangeHeaders(options), signal: options.signal });
    if (answer.kind === 'elsewhere') {
      this.#signed = answer.url;
      const found = await this.#readSigned(answer.url, options);
      if (found !== undefined) return found;
      throw new ModelRtcError('network', `${new URL(answer.url).host} refuses the address that the hub just gave.`);
    }
    const { response } = answer;
    const isMissing = response.status === 404 && response.headers.get('x-error-code') === 'EntryNotFound';
    if (isMissing || ![401, 403, 404].includes(response.status)) {
      return await answerFile(this.#access.client, response, url, options);
    }
    await response.discard();
    throw hubError(response, url, await this.#access.asker({ repo: this.#place.repo }));
  }
}

/** A signed address is as good as a password while it lives, so no message has it. */
function unsigned(error: ModelRtcError): ModelRtcError {
  const message = error.message.replaceAll(/(https?:\/\/[^\s?]+)\?\S+/g, '$1');
  return message === error.message ? error : new ModelRtcError(error.code, message, { details: error.details });
}
