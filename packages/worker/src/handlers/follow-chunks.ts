import { setTimeout as wait } from 'node:timers/promises';
import {
  type EventOf,
  MAX_FOLLOWED_BYTES,
  MAX_FOLLOWED_PLACES,
  ModelRtcError,
  type Params,
  type ResultInput,
} from '@model-rtc/protocol';
import type { PartialReader } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';
import { FOLLOW_INTERVAL_MS, MAX_FOLLOWED_MODELS } from '../limits.ts';
import { assertHere } from './resolve-here.ts';
import type { HandlerContext } from './types.ts';

type Event = EventOf<'follow_chunks'>;
type Context = Pick<RequestContext<'follow_chunks'>, 'peer' | 'emit' | 'signal'>;

/** Tells clients which chunks this machine has of models that it is still fetching, and each that comes. */
export class FollowedChunks {
  readonly #services: Pick<HandlerContext, 'registry' | 'partials'>;
  /** By peer, how many models it follows. */
  readonly #followed = new WeakMap<object, number>();

  constructor(services: Pick<HandlerContext, 'registry' | 'partials'>) {
    this.#services = services;
  }

  /**
   * Ends when the model is whole here, or given up.
   * @throws ModelRtcError `not_found` when the model is not here at all, `bad_argument` when it is cut in another way here, `busy`
   * when this peer follows too many models
   */
  async follow(params: Params<'follow_chunks'>, context: Context): Promise<ResultInput<'follow_chunks'>> {
    const { peer } = context;
    const already = this.#followed.get(peer) ?? 0;
    if (already >= MAX_FOLLOWED_MODELS) throw tooMany();
    this.#followed.set(peer, already + 1);
    try {
      return await this.#untilOver(params, context);
    } finally {
      this.#followed.set(peer, (this.#followed.get(peer) ?? 1) - 1);
    }
  }

  async #untilOver({ digest, list }: Params<'follow_chunks'>, context: Context): Promise<ResultInput<'follow_chunks'>> {
    const { registry, partials } = this.#services;
    if ((await registry.find(digest)) !== undefined) return { whole: true };
    const reader = await partials.open(digest);
    if (reader === undefined) {
      await assertHere(registry, digest);
      return { whole: true };
    }
    if (reader.list !== list) throw otherList();
    await tellUntilOver(reader, context);
    return { whole: (await registry.find(digest)) !== undefined };
  }
}

async function tellUntilOver(reader: PartialReader, context: Pick<Context, 'emit' | 'signal'>): Promise<void> {
  let told = reader.present();
  for (const event of asBits(told)) await context.emit(event);
  while (!(await reader.isOver())) {
    await wait(FOLLOW_INTERVAL_MS, undefined, { signal: context.signal });
    const now = reader.present();
    if (now === told) continue;
    for (const event of asPlaces(now, told)) await context.emit(event);
    told = now;
  }
}

/** Everything that is there; one event at least, so that the asker knows that not all is. */
export function* asBits(has: Uint8Array): Iterable<Event> {
  for (let from = 0; from === 0 || from < has.length; from += 8 * MAX_FOLLOWED_BYTES) {
    const part = has.subarray(from, from + 8 * MAX_FOLLOWED_BYTES);
    const bits = new Uint8Array(Math.ceil(part.length / 8));
    for (const [place, there] of part.entries())
      if (there === 1) bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7));
    yield { from, bits };
  }
}

/** What came since. */
export function* asPlaces(now: Uint8Array, before: Uint8Array): Iterable<Event> {
  let places: number[] = [];
  for (const [place, there] of now.entries()) {
    if (there !== 1 || before[place] === 1) continue;
    places.push(place);
    if (places.length < MAX_FOLLOWED_PLACES) continue;
    yield { places };
    places = [];
  }
  if (places.length > 0) yield { places };
}

function tooMany(): ModelRtcError {
  return new ModelRtcError('busy', `One connection may follow ${MAX_FOLLOWED_MODELS} models at once. Ask again later.`);
}

function otherList(): ModelRtcError {
  const sentence = 'This worker fetches the model in other chunks. Ask it for chunks without following them.';
  return new ModelRtcError('bad_argument', sentence);
}
