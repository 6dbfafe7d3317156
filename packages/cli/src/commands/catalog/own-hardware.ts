import { arch } from 'node:os';
import { type Backend, systemClock } from '@model-rtc/protocol';
import type { Context } from '../../console/context.ts';

/** What tells what this machine can compute on; nothing is asked before it is called. */
export async function ownHardware({ runtime }: Context): Promise<() => Promise<ReadonlySet<Backend>>> {
  const { createHardwareProbe } = await import('@model-rtc/jobs');
  return createHardwareProbe({ env: runtime.env, platform: runtime.platform, arch: arch() }, systemClock);
}
