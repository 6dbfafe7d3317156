import { type HttpClient, readUrl } from '@model-rtc/http';
import type { RegistryStore } from './types.ts';

export interface HttpStoreOptions extends HttpClient {
  /** Begins with `http:` or `https:`. */
  readonly url: string;
}

/** A static registry behind HTTP. */
export function createHttpStore(options: HttpStoreOptions): RegistryStore {
  const base = new URL(options.url);
  const headers = base.username === '' ? {} : { authorization: basicAuthorization(base) };
  for (const part of ['username', 'password', 'search', 'hash'] as const) base[part] = '';
  const url = base.href.replace(/\/+$/, '');
  return {
    url,
    read: async (path, read = {}) => await readUrl(options, { url: `${url}/${path}`, headers }, read),
  };
}

function basicAuthorization({ username, password }: URL): string {
  const bytes = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
