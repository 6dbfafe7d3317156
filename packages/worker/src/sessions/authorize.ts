import { ModelRtcError } from '@model-rtc/protocol';
import type { Authority, Authorization } from '@model-rtc/transport';
import type { SessionStore } from './session-store.ts';

/**
 * What a session's token allows now; undefined for one that was never issued. Revoked and expired ones are still known, so
 * that their holders can be told why.
 */
export function authorize(sessions: SessionStore, keyId: string): Authorization | undefined {
  try {
    const record = sessions.find(keyId);
    if (record === undefined) return undefined;
    return { secret: new Uint8Array(Buffer.from(record.secret, 'hex')), authority: authorityOf(sessions, record) };
  } catch (error) {
    return { refuse: unreadable(error) };
  }
}

function authorityOf(
  sessions: SessionStore,
  { keyId, scopes }: { keyId: string; scopes: Authority['scopes'] },
): Authority {
  const check = (): void => {
    try {
      sessions.assertUsable(keyId);
    } catch (error) {
      throw ModelRtcError.from(error).code === 'storage' ? unreadable(error) : error;
    }
  };
  return { scopes, keyId, check };
}

/** Sent to clients that are not authenticated yet, so it names no path of this machine. */
function unreadable(cause: unknown): ModelRtcError {
  return ModelRtcError.because(
    cause,
    'storage',
    'The worker cannot read its list of sessions, so it accepts no connections. Its log says why.',
  );
}
