import { ModelRtcError } from '@model-rtc/protocol';
import type { AttemptState } from './visit-attempt.ts';

interface Tried {
  readonly url: string;
  readonly state: AttemptState;
}

/** Why no server led to the worker, from what became of each. The most telling answer counts. */
export function noLink(tried: readonly Tried[]): ModelRtcError {
  const errors = tried.flatMap(({ state }) => (state.kind === 'failed' ? [state.error] : []));
  if (tried.some(({ state }) => state.kind === 'offline')) return workerOffline(tried, errors);
  const refusal = errors.find(({ code }) => code !== 'network');
  return refusal ?? unreachable(tried, errors);
}

function workerOffline(tried: readonly Tried[], errors: readonly ModelRtcError[]): ModelRtcError {
  const asked = tried.filter(({ state }) => state.kind === 'offline').map(({ url }) => url);
  const others = tried.filter(({ state }) => state.kind !== 'offline').map(({ url }) => url);
  const unasked = others.length === 0 ? '' : ` (${others.join(', ')} did not answer)`;
  return new ModelRtcError(
    'worker_offline',
    `The worker is not connected to its signaling server ${asked.join(', ')}${unasked}. On its machine, start it with "model-rtc worker".`,
    { cause: causeOf(errors), details: { urls: asked } },
  );
}

function unreachable(tried: readonly Tried[], errors: readonly ModelRtcError[]): ModelRtcError {
  const urls = tried.map(({ url }) => url);
  const which =
    urls.length === 1 ? `The signaling server ${urls[0]}` : `None of the signaling servers ${urls.join(', ')}`;
  const verb = urls.length === 1 ? 'could not be reached' : 'could be reached';
  return new ModelRtcError('network', `${which} ${verb}. Check the network, and that the server or worker runs.`, {
    cause: causeOf(errors),
    details: { urls },
  });
}

function causeOf(errors: readonly ModelRtcError[]): unknown {
  return errors.length > 1 ? new AggregateError(errors, 'every signaling server failed') : errors[0];
}
