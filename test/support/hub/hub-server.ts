import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerHub } from './hub-routes.ts';
import { Repository, type RepositoryOptions } from './repository.ts';
import { answerStorage } from './storage-routes.ts';

/** A request that the hub, or the storage that it sends on to, was asked. */
export interface AskedHub {
  readonly at: 'hub' | 'storage';
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** Which connection it came over. */
  readonly port: number | undefined;
}

/** What a server does in place of an honest answer; false for an honest one. @param times - how often this address was asked, this time included */
export type HubFault = (asked: AskedHub, response: ServerResponse, times: number) => boolean | Promise<boolean>;

/**
 * A hub on this machine that speaks the API of the public one, as its documentation and its clients show it: information, lists in
 * pages, files, and redirects of large ones to signed addresses at another server that expire.
 */
export class LocalHub {
  readonly asked: AskedHub[] = [];
  readonly repositories = new Map<string, Repository>();
  /** Tokens that are known. */
  readonly tokens = new Set<string>();
  fault: HubFault = () => false;
  /** Entries of a page of a list. */
  pageSize = 1000;
  /** For how many requests a signed address is good. */
  signedFor = Number.POSITIVE_INFINITY;
  url = '';
  storageUrl = '';
  readonly #servers: Server[] = [];

  /** What a program needs in its environment to find it. */
  get env(): Record<string, string> {
    return { HF_ENDPOINT: this.url };
  }

  async start(): Promise<void> {
    this.url = await this.#listen('hub', answerHub);
    this.storageUrl = await this.#listen('storage', answerStorage);
  }

  /** @returns the repository; its first commit is `commitOf('main')` */
  addModel(name: string, options: RepositoryOptions): Repository {
    const repository = new Repository(name, options);
    this.repositories.set(name, repository);
    return repository;
  }

  /** Requests for what addresses end with, in order. */
  askedFor(ending: string): AskedHub[] {
    return this.asked.filter(({ url }) => (url.split('?')[0] ?? '').endsWith(ending));
  }

  /** Bytes are not counted; a request with a range is one. */
  get fileRequests(): number {
    return this.asked.filter(({ at, url }) => at === 'storage' || url.includes('/resolve/')).length;
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #listen(
    at: AskedHub['at'],
    answer: (hub: LocalHub, request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<string> {
    const server = createServer((request, response) => {
      this.#answer(at, answer, request, response).catch(() => response.destroy());
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async #answer(
    at: AskedHub['at'],
    answer: (hub: LocalHub, request: IncomingMessage, response: ServerResponse) => Promise<void>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = 'GET', url = '', headers, socket } = request;
    const { range, authorization } = headers;
    const asked: AskedHub = { at, method, url, range, authorization, port: socket.remotePort };
    this.asked.push(asked);
    const [path] = url.split('?');
    const times = this.asked.filter((other) => other.at === at && other.url.split('?')[0] === path).length;
    if (await this.fault(asked, response, times)) return;
    await answer(this, request, response);
  }
}
