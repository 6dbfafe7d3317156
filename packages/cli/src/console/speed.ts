import type { AgentLimits, SpeedOptions } from '@model-rtc/client';
import { parseRate } from './parse-rate.ts';
import { Settings } from './settings.ts';

/** What a person said of how a transfer is to treat the network. */
export interface SpeedFlags {
  readonly limit?: string | undefined;
  readonly nice: boolean;
  readonly compress: 'auto' | 'off';
}

/** @throws ModelRtcError `bad_argument` for a limit that is no rate. */
export function speedOf({ limit, nice, compress }: SpeedFlags): SpeedOptions {
  return { limitBytesPerSecond: limit === undefined ? undefined : parseRate(limit, '--limit'), nice, compress };
}

/** What this machine's settings allow all transfers of one command together. */
export async function agentLimits(home: string): Promise<AgentLimits> {
  const settings = await Settings.open(home);
  const up = settings.get('limit.up').bytesPerSecond;
  const down = settings.get('limit.down').bytesPerSecond;
  if (up === undefined && down === undefined) return {};
  const { createPace } = await import('@model-rtc/transfer');
  const paceOf = (bytesPerSecond: number | undefined) =>
    bytesPerSecond === undefined ? undefined : createPace({ bytesPerSecond });
  return { up: paceOf(up), down: paceOf(down) };
}
