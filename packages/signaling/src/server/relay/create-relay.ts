import { ModelRtcError } from '@model-rtc/protocol';
import { DEFAULT_RELAY_LIMITS, MIN_RELAY_BYTES_PER_SECOND, type RelayLimits } from '../../limits.ts';
import { RelayHub, type RelayHubOptions } from './relay-hub.ts';

/**
 * The relay of a server, with its limits checked.
 *
 * @returns undefined when it is off.
 * @throws ModelRtcError `bad_argument` for a rate at which no lane would live.
 */
export function createRelay(
  relay: 'off' | Partial<RelayLimits> | undefined,
  options: Omit<RelayHubOptions, 'limits'>,
): RelayHub | undefined {
  if (relay === 'off') return undefined;
  const limits = { ...DEFAULT_RELAY_LIMITS, ...relay };
  for (const rate of [limits.bytesPerSecondPerPair, limits.bytesPerSecond]) {
    if (rate === undefined || rate >= MIN_RELAY_BYTES_PER_SECOND) continue;
    throw new ModelRtcError(
      'bad_argument',
      `A relay of ${rate} bytes a second is too slow to keep a connection alive; allow at least ${MIN_RELAY_BYTES_PER_SECOND}, or switch it off.`,
    );
  }
  return new RelayHub({ ...options, limits });
}
