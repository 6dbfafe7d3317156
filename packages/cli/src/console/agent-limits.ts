import type { AgentLimits } from '@model-rtc/client';
import { parseTiers } from './quantities.ts';
import { Settings } from './settings.ts';

/** The limits that are set for all transfers of an agent together. */
export async function agentLimits(home: string): Promise<AgentLimits> {
  const settings = await Settings.open(home);
  const up = settings.get('limit.up').amount;
  const down = settings.get('limit.down').amount;
  const { list } = settings.get('limit.by-size');
  const bySize = list === undefined ? undefined : parseTiers(list.join(','), 'limit.by-size');
  if (up === undefined && down === undefined) return { bySize };
  const { createRateLimiter } = await import('@model-rtc/transfer');
  const paceOf = (bytesPerSecond: number | undefined) =>
    bytesPerSecond === undefined ? undefined : createRateLimiter({ bytesPerSecond });
  return { up: paceOf(up), down: paceOf(down), bySize };
}
