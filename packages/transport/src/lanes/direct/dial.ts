import { cancelledBy, ModelRtcError } from '@model-rtc/protocol';
import type { AskLane, DirectOffer } from '../../core/connect/components.ts';
import { awaitAnswer } from '../../core/connect/mailbox.ts';
import { manyListeners } from '../../core/connect/many-listeners.ts';
import type { Lane } from '../../core/lane/lane.ts';
import { dialAddress } from './dial-address.ts';
import { DIAL_STAGGER_MS, DIAL_TIMEOUT_MS, MAX_DIALLED_ADDRESSES } from './limits.ts';
import type { DirectAddress } from './listen.ts';

export interface DialDirectOptions {
  readonly signal?: AbortSignal | undefined;
  /** For all addresses together; 10 s when left out. */
  readonly timeoutMs?: number | undefined;
}

/** Why an address did not lead to a lane. */
interface FailedAddress {
  readonly address: DirectAddress;
  readonly cause: unknown;
}

/** How a client asks for a direct lane. */
export const askDirect: AskLane = async (lane, mailbox, { channel, timeoutMs, signal }) => {
  await channel.send({ type: 'direct_ask', lane });
  return await dialDirect(await awaitAnswer(mailbox, 'direct_offer', signal), { signal, timeoutMs });
};

/**
 * Connects to a worker that offered a direct lane. Its addresses are tried in their order, each a moment after the one
 * before or as soon as that one fails (as RFC 8305 has it); the first at which the worker takes the token wins, and the others are
 * closed. The token goes only to who shows the offered certificate.
 *
 * @throws ModelRtcError `network` when no address leads there; `timeout` when none does in time; `cancelled` by the signal.
 * `details.tried` names the addresses.
 */
export async function dialDirect(offer: DirectOffer, options: DialDirectOptions = {}): Promise<Lane> {
  const { signal, timeoutMs = DIAL_TIMEOUT_MS } = options;
  if (signal?.aborted) throw cancelledBy(signal);
  const addresses = offer.addresses.slice(0, MAX_DIALLED_ADDRESSES);
  return await new Promise<Lane>((resolve, reject) => {
    const controller = manyListeners(new AbortController());
    const failures: FailedAddress[] = [];
    let next = 0;
    let staggerTimer: NodeJS.Timeout | undefined;
    const finish = (how: () => void) => {
      if (controller.signal.aborted) return;
      clearTimeout(staggerTimer);
      clearTimeout(timeoutTimer);
      signal?.removeEventListener('abort', onAbort);
      controller.abort();
      how();
    };
    const onAbort = () => finish(() => reject(cancelledBy(signal)));
    const onTimeout = () => finish(() => reject(timeoutError(addresses, failures, timeoutMs)));
    const timeoutTimer = setTimeout(onTimeout, timeoutMs);
    const tryNext = () => {
      clearTimeout(staggerTimer);
      const address = addresses[next++];
      if (address === undefined || controller.signal.aborted) return;
      staggerTimer = setTimeout(tryNext, DIAL_STAGGER_MS);
      dialAddress(address, offer, controller.signal).then(
        (lane) => (controller.signal.aborted ? lane.abort() : finish(() => resolve(lane))),
        (cause) => {
          failures.push({ address, cause });
          if (failures.length === addresses.length) finish(() => reject(unreachableError(failures)));
          else tryNext();
        },
      );
    };
    signal?.addEventListener('abort', onAbort);
    if (addresses.length === 0) finish(() => reject(unreachableError([])));
    tryNext();
  });
}

function unreachableError(failures: readonly FailedAddress[]): ModelRtcError {
  const tried = failures.map(({ address, cause }) => `${show(address)} (${reasonOf(cause)})`);
  const where = tried.length === 0 ? 'it offered no address' : `tried ${tried.join(', ')}`;
  return new ModelRtcError(
    'network',
    `The worker cannot be reached directly: ${where}. Let its direct port through the firewall, or use another lane.`,
    { cause: failures[0]?.cause, details: { tried: failures.map(({ address }) => show(address)) } },
  );
}

function timeoutError(
  addresses: readonly DirectAddress[],
  failures: readonly FailedAddress[],
  timeoutMs: number,
): ModelRtcError {
  const tried = addresses.map((address) => {
    const failure = failures.find((one) => one.address === address);
    return `${show(address)} (${failure === undefined ? 'no answer' : reasonOf(failure.cause)})`;
  });
  return new ModelRtcError(
    'timeout',
    `The worker was not reached directly within ${timeoutMs / 1000} s: tried ${tried.join(', ')}. Let its direct port through the firewall, or use another lane.`,
    { details: { tried: addresses.map(show), timeoutMs } },
  );
}

function show({ host, port }: DirectAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return cause instanceof ModelRtcError ? cause.message : (code ?? message);
}
