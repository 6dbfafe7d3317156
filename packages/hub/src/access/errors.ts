import { type HttpResponse, hostOf, statusError } from '@model-rtc/http';
import { ModelRtcError } from '@model-rtc/protocol';
import type { HubProblem } from '../types.ts';

/** Who asked, and for what. */
export interface Asker {
  readonly endpoint: string;
  readonly hasToken: boolean;
  /** The repository; undefined for what belongs to none. */
  readonly repo?: string | undefined;
  /** What of it, for messages: a revision. */
  readonly revision?: string | undefined;
}

/** The error for a hub's answer that is none. The hub tells the cause in `X-Error-Code`. */
export function hubError(response: Pick<HttpResponse, 'status' | 'headers'>, url: string, asker: Asker): ModelRtcError {
  const { status, headers } = response;
  const code = headers.get('x-error-code') ?? '';
  if (status === 404 || status === 410) return missing(code, asker);
  if (status !== 401 && status !== 403) return statusError(response, url);
  if (code === 'GatedRepo') return asker.hasToken && status === 403 ? notAuthorized(asker) : gated(asker);
  if (status === 403) return notAuthorized(asker);
  return asker.hasToken && code !== 'RepoNotFound' ? tokenRefused(asker) : unknownRepo(asker);
}

/** The error for a hub that may not be asked. */
export function offlineError(): ModelRtcError {
  return refusal('offline', 'HF_HUB_OFFLINE is set, so no hub is asked. Unset it, or take the model from a worker.');
}

function missing(code: string, asker: Asker): ModelRtcError {
  const { repo = 'the repository', revision } = asker;
  if (code === 'RevisionNotFound' || (code === '' && revision !== undefined)) {
    const sentence = `${repo} has no branch, tag or commit "${revision ?? 'main'}" at ${hostOf(asker.endpoint)}. Look at ${pageOf(asker)}/tree/main.`;
    return new ModelRtcError('not_found', sentence, { details: { repo, revision } });
  }
  return unknownRepo(asker);
}

/** A hub does not tell strangers which private repositories there are. */
function unknownRepo(asker: Asker): ModelRtcError {
  const { repo = 'the repository', hasToken } = asker;
  const hint = hasToken
    ? 'Check its name, and whether your account may see it.'
    : 'Check its name. If it is private, set HF_TOKEN or pass --token-file.';
  return new ModelRtcError('not_found', `${hostOf(asker.endpoint)} knows no model ${repo}. ${hint}`, {
    details: { repo, ...(hasToken ? {} : { problem: 'token_missing' satisfies HubProblem }) },
  });
}

function gated(asker: Asker): ModelRtcError {
  const { repo = 'The model', hasToken } = asker;
  if (hasToken) return tokenRefused(asker);
  const sentence = `${repo} is a gated model: its owner asks who takes it. Accept the conditions at ${pageOf(asker)}, then set HF_TOKEN or pass --token-file with an access token of your account.`;
  return refusal('token_missing', sentence, asker);
}

function tokenRefused(asker: Asker): ModelRtcError {
  const sentence = `${hostOf(asker.endpoint)} does not accept the access token. Make a new one at ${asker.endpoint}/settings/tokens, and set HF_TOKEN or pass --token-file.`;
  return refusal('token_refused', sentence, asker);
}

function notAuthorized(asker: Asker): ModelRtcError {
  const { repo = 'this' } = asker;
  const sentence = `Your account at ${hostOf(asker.endpoint)} may not read ${repo}. Accept its conditions at ${pageOf(asker)}, wait until its owner agrees if that is needed, and check that the token may read gated models.`;
  return refusal('not_authorized', sentence, asker);
}

function refusal(problem: HubProblem, sentence: string, asker?: Asker): ModelRtcError {
  return new ModelRtcError('refused', sentence, { details: { problem, repo: asker?.repo } });
}

function pageOf({ endpoint, repo }: Asker): string {
  return repo === undefined ? endpoint : `${endpoint}/${repo}`;
}
