import { type Clock, ModelRtcError } from '@model-rtc/protocol';

/** How long a member may take to answer: it sends 2 MiB at most. */
const ANSWER_MS = 60_000;

/** A member that never answers must not hold up what waits for it. @throws ModelRtcError `timeout`, and as `ask` does */
export async function inTime<T>(
  ask: (options: { readonly signal: AbortSignal }) => Promise<T>,
  clock: Pick<Clock, 'after'>,
): Promise<T> {
  const asking = new AbortController();
  const stop = clock.after(ANSWER_MS, () =>
    asking.abort(new ModelRtcError('timeout', 'The member did not answer in time.')),
  );
  return await ask(asking).finally(stop);
}
