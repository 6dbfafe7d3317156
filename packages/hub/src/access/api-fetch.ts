import { type HttpResponse, LONGEST_PATIENCE_MS, Retries, readLimited } from '@model-rtc/http';
import { ModelRtcError } from '@model-rtc/protocol';
import type { HubAccess } from './access.ts';
import { type Asker, hubError } from './errors.ts';

export interface ApiOptions {
  readonly maxBytes: number;
  readonly asker: Asker;
  readonly signal: AbortSignal | undefined;
}

/**
 * A `fetch` for the hub's own library: it goes to the hub alone, with its token, again after a failure, and gives answers that are no
 * longer than they may be. An answer other than 200 is thrown as a `ModelRtcError`.
 */
export function apiFetch(access: HubAccess, options: ApiOptions): typeof fetch {
  return async (input) => {
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
    if (!access.isOwn(url)) {
      throw new ModelRtcError('invalid_model', `The hub's list goes on at another server (${new URL(url).host}).`);
    }
    const { clock, random, onBusy } = access;
    const retries = new Retries({ clock, random, onBusy, signal: options.signal, patienceMs: LONGEST_PATIENCE_MS });
    for (;;) {
      try {
        return await askOnce(access, url, options);
      } catch (error) {
        await retries.after(error);
      }
    }
  };
}

async function askOnce(access: HubAccess, url: string, { maxBytes, asker, signal }: ApiOptions): Promise<Response> {
  const answer = await access.ask({ url, headers: { accept: 'application/json' }, signal });
  if (answer.kind === 'elsewhere') {
    throw new ModelRtcError('refused', `The hub answers from another server (${new URL(answer.url).host}).`);
  }
  const { response } = answer;
  if (response.status !== 200) {
    await response.discard();
    throw hubError(response, url, asker);
  }
  const bytes = await readLimited(response.body, maxBytes, url);
  return new Response(bytes, { status: 200, headers: headersOf(response) });
}

function headersOf({ headers }: HttpResponse): Record<string, string> {
  const link = headers.get('link');
  return { 'content-type': 'application/json', ...(link === null ? {} : { link }) };
}
