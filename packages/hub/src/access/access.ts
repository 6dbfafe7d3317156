import {
  createNodeFetch,
  type Fetch,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type ReadingOptions,
  requireEncryption,
  sendRequest,
} from '@model-rtc/http';
import { type Clock, ModelRtcError, systemClock } from '@model-rtc/protocol';
import { MAX_REDIRECTS } from '../limits.ts';
import type { Asker } from './errors.ts';
import { offlineError } from './errors.ts';
import { type Environment, type HubSettings, hubSettings } from './settings.ts';
import { findToken, type TokenOptions } from './token.ts';

export interface HubAccessOptions extends TokenOptions, Pick<HttpClient, 'headTimeoutMs' | 'bodyGapMs'> {
  /** The caller's environment: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`, `HF_HOME` and the proxies. */
  readonly env: Environment;
  /** Shows no access token, whatever the environment has: for what somebody else asked for. */
  readonly isAnonymous?: boolean | undefined;
  /** In place of Node's. */
  readonly fetch?: Fetch | undefined;
  /** For the waits between attempts. */
  readonly clock?: Clock | undefined;
  /** From 0 to below 1. */
  readonly random?: (() => number) | undefined;
  /** Called before a request waits for a busy hub. */
  readonly onBusy?: ReadingOptions['onBusy'];
}

/** An answer, or where the hub sends on to: another server, which gets no token. */
export type HubAnswer =
  | { readonly kind: 'answer'; readonly response: HttpResponse }
  | { readonly kind: 'elsewhere'; readonly url: string };

/** Requests to one hub. The access token is told to the hub's own address alone, and to nobody who asks this object. */
export class HubAccess {
  readonly settings: HubSettings;
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onBusy: ReadingOptions['onBusy'];
  readonly #given: TokenOptions;
  #token: Promise<string | undefined> | undefined;

  constructor({ env, fetch, clock = systemClock, random = Math.random, ...options }: HubAccessOptions) {
    const { token, tokenFile, isAnonymous = false, headTimeoutMs, bodyGapMs, onBusy } = options;
    const settings = hubSettings(env);
    this.settings = isAnonymous ? { ...settings, token: undefined, tokenPath: undefined } : settings;
    this.client = { fetch: fetch ?? createNodeFetch({ env }), headTimeoutMs, bodyGapMs };
    this.clock = clock;
    this.random = random;
    this.onBusy = onBusy;
    this.#given = { token, tokenFile };
  }

  async asker(more: Pick<Asker, 'repo' | 'revision'> = {}): Promise<Asker> {
    return { endpoint: this.settings.endpoint, hasToken: (await this.#findToken()) !== undefined, ...more };
  }

  /**
   * Sends one request to the hub, and follows it within the hub.
   * @throws ModelRtcError `refused` when no hub may be asked; as `sendRequest` does
   */
  async ask(request: HttpRequest): Promise<HubAnswer> {
    if (this.settings.isOffline) throw offlineError();
    let { url } = request;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const headers = { ...request.headers, ...(await this.#authorization(url)) };
      const response = await sendRequest(this.client, { ...request, url, headers, redirect: 'manual' });
      const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
      if (location === null || response.status === 304) return { kind: 'answer', response };
      const next = URL.canParse(location, url) ? new URL(location, url).href : undefined;
      await response.discard();
      if (next === undefined || !/^https?:/.test(next)) break;
      requireEncryption(url, next);
      if (!this.isOwn(next)) return { kind: 'elsewhere', url: next };
      url = next;
    }
    throw new ModelRtcError('network', `${new URL(url).host} sends requests round in circles. Try again later.`);
  }

  /** Whether an address belongs to the hub itself. */
  isOwn(url: string): boolean {
    return new URL(url).origin === new URL(this.settings.endpoint).origin;
  }

  async #authorization(url: string): Promise<Record<string, string>> {
    if (!this.isOwn(url)) return {};
    const token = await this.#findToken();
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async #findToken(): Promise<string | undefined> {
    this.#token ??= findToken(this.#given, this.settings);
    return await this.#token;
  }
}
