import type { Log } from '@model-rtc/protocol';
import type { KnownWorker, Registry } from '@model-rtc/registry';
import type { ChunkOffers } from './chunk-offers.ts';
import type { SessionLink } from './session-link.ts';
import type { Time } from './time.ts';
import type { AgentLimits } from './transfer-speed.ts';

/** What a client's operations on one worker stand on. */
export interface WorkerServices {
  readonly registry: Registry;
  /** The worker, as this machine remembers it. */
  readonly known: KnownWorker;
  readonly link: SessionLink;
  readonly offers: ChunkOffers;
  readonly log: Log;
  readonly time: Time;
  readonly limits: AgentLimits;
}
