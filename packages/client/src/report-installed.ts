import type { Alias, Digest, Log } from '@model-rtc/protocol';
import type { Peer } from '@model-rtc/transport';

/** Nobody waits long for a courtesy. */
const REPORT_WITHIN_MS = 3_000;

/**
 * Tells the worker that a model is here now and what it is called, so that both sides know both names. The model is
 * installed by then: a worker that does not answer, or is of version 1.0, changes nothing.
 */
export async function reportInstalled(peer: Peer, digest: Digest, alias: Alias | undefined, log: Log): Promise<void> {
  try {
    await peer.request('report_installed', { digest, alias }, { timeoutMs: REPORT_WITHIN_MS });
  } catch (error) {
    log.debug({ err: error, digest }, 'the worker was not told of the installed model');
  }
}
