import { type Clock, systemClock } from '@model-rtc/protocol';
import type { LocalHub } from '../../../test/support/hub/local-hub.ts';
import { type HubAccessOptions, openHub } from '../src/index.ts';

/** Waits a hundredth of the time that it should. */
export const hurried: Clock = {
  ...systemClock,
  after: (delayMs, callback) => systemClock.after(delayMs / 100, callback),
};

/** The hub, as a program finds it whose environment says where it is. */
export function open({ env }: Pick<LocalHub, 'env'>, options: Partial<HubAccessOptions> = {}) {
  return openHub({ clock: hurried, random: () => 0, ...options, env: { ...env, ...options.env } });
}

export const bytes = (size: number, factor: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_, i) => (i * factor) % 253));
