import { describe, expect, it } from '@jest/globals';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { afterTest } from '../../../../../test/support/after-test.ts';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import {
  type AuditEntry,
  type FetchHow,
  type MeshModelHolders,
  type PrefetchRule,
  type RuleProgress,
  startPrefetching,
} from '../../../src/index.ts';
import type { PrefetchState } from '../../../src/policy/prefetch/prefetch-files.ts';
import { meshOf, model, node, rule } from '../../support/prefetch.ts';

/** A Monday, local time. */
const START = new Date(2026, 10, 2, 21, 0);
const MINUTE = 60_000;
type Fetch = (digest: Digest, how: FetchHow) => Promise<'fetched' | 'already_there'>;

/** A machine whose worker follows rules, in virtual time. */
class Worker {
  readonly clock = new VirtualClock();
  readonly here = new Set<string>();
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly audited: AuditEntry[] = [];
  rules: readonly PrefetchRule[];
  fetch: Fetch = async () => 'fetched';
  readonly models: MeshModelHolders[];
  #state: PrefetchState = { rules: {} };
  #sleptMs = 0;
  #running: AsyncDisposable;

  constructor(models: MeshModelHolders[], ...rules: readonly Partial<PrefetchRule>[]) {
    this.models = models;
    this.rules = rules.map((fields, i) => rule({ id: `000${i}`, ...fields }));
    this.#running = this.#start();
    afterTest(() => this.#running[Symbol.asyncDispose]());
  }

  /** The worker looks every ten seconds meanwhile. */
  async pass(minutes: number): Promise<void> {
    await this.clock.advance(minutes * MINUTE);
  }

  /** So much later at once, as after a machine slept, and a look at what there is then. */
  async later(minutes: number): Promise<void> {
    this.#sleptMs += minutes * MINUTE;
    await this.pass(0.4);
  }

  progress(rule = 0): RuleProgress | undefined {
    return this.#state.rules[`000${rule}`];
  }

  async restart(): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
    this.#running = this.#start();
  }

  #start(): AsyncDisposable {
    const { clock, here } = this;
    return startPrefetching({
      ...{ clock, now: () => new Date(START.getTime() + this.#sleptMs + clock.nowMs()) },
      ...{ meshes: async () => [meshOf('id', this.models)], here: async () => here },
      store: {
        meshes: async () => [
          {
            meshId: 'id',
            rules: { read: async () => ({ rules: this.rules }) },
            state: {
              read: async () => this.#state,
              update: async (change) => (this.#state = change(this.#state)),
            },
          },
        ],
        audit: async (entry) => {
          this.told.push(entry.what);
          this.audited.push(entry);
        },
      },
      fetch: async (_, digest, how) => {
        this.asked.push(`${nameOf(this.models, digest)} ${how.priority}`);
        const outcome = await this.fetch(digest, how);
        here.add(digest);
        return outcome;
      },
    });
  }
}

function nameOf(models: readonly MeshModelHolders[], digest: string): string {
  return models.find((one) => one.digest === digest)?.names[0] ?? digest;
}

/** A fetch that goes on until it is stopped. */
const endless: Fetch = async (_, { signal }) =>
  await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('a worker with prefetch rules', () => {
  it('fetches what fits and is not here, one after the other, the smallest first', async () => {
    const models = [
      model({ names: ['large'], tags: ['mouse'], sizeBytes: 9000 }),
      model({ names: ['small'], tags: ['mouse'], sizeBytes: 10 }),
      model({ names: ['other'], tags: ['rat'] }),
      model({ names: ['here'], tags: ['mouse'] }),
      model({ names: ['partial'], tags: ['mouse'], isWhole: false }),
      model({ names: ['absent'], tags: ['mouse'], holder: node('cleo', { isPresent: false }) }),
    ];
    const ben = new Worker(models, { tag: 'mouse' });
    ben.here.add(models[3]?.digest as string);
    let atOnce = 0;
    ben.fetch = async () => {
      expect(++atOnce).toBe(1);
      await Promise.resolve();
      atOnce--;
      return 'fetched';
    };
    await ben.pass(2);
    expect(ben.asked).toEqual(['small low', 'large low']);
    await ben.pass(10);
    expect(ben.asked).toHaveLength(2);
    expect(ben.told).toEqual(['fetched small', 'fetched large']);
    expect(ben.progress()).toMatchObject({
      done: [{ name: 'large' }, { name: 'small' }],
      waits: 'a model that fits',
    });
  });

  it('notes for the audit from which nodes how much came, of a model that failed as well', async () => {
    const ben = new Worker([model({ names: ['bad'], sizeBytes: 1 }), model({ names: ['good'] })], { name: '*' });
    ben.fetch = async (digest, { onGivers }) => {
      onGivers([{ name: 'anna', bytes: 3 }]);
      if (nameOf(ben.models, digest) === 'bad') throw new ModelRtcError('refused', 'No.');
      onGivers([
        { name: 'anna', bytes: 700 },
        { name: 'cleo', bytes: 300 },
      ]);
      return 'fetched';
    };
    await ben.pass(2);
    const nodes = [
      { name: 'anna', bytes: 700 },
      { name: 'cleo', bytes: 300 },
    ];
    expect(ben.audited).toMatchObject([
      { event: 'prefetch', what: 'will not fetch bad: No.', bytes: 3, nodes: [{ name: 'anna', bytes: 3 }] },
      { event: 'prefetch', what: 'fetched good from anna, cleo', bytes: 1000, nodes, by: 'prefetch rule 0000' },
    ]);
  });

  it('follows the more urgent rule first, with its priority', async () => {
    const models = [model({ names: ['small'], tags: ['a'], sizeBytes: 1 }), model({ names: ['large'], tags: ['b'] })];
    const ben = new Worker(models, { tag: 'a' }, { tag: 'b', priority: 'high' });
    await ben.pass(2);
    expect(ben.asked).toEqual(['large high', 'small low']);
  });

  it('does not fetch again what a person deleted, for any rule, even after a restart', async () => {
    const ben = new Worker([model({ tags: ['mouse'] })], { tag: 'mouse' }, { name: 'm*' });
    await ben.pass(2);
    ben.here.clear();
    await ben.pass(10);
    await ben.restart();
    await ben.pass(10);
    expect(ben.asked).toEqual(['mouse low']);
  });

  it('stops at the end of its time, goes on at the next, and says so once each', async () => {
    const ben = new Worker([model({ tags: ['mouse'] })], { tag: 'mouse', between: '22:00-06:00' });
    await ben.later(30);
    expect(ben.asked).toEqual([]);
    expect(ben.progress()?.waits).toBe('its time');
    ben.fetch = endless;
    await ben.later(31);
    expect(ben.progress()?.fetching).toMatchObject({ name: 'mouse' });
    await ben.later(8 * 60);
    const stopped = 'stopped fetching mouse: the time of its rule is over, and it goes on next time';
    expect(ben.told).toEqual([stopped]);
    expect(ben.progress()?.fetching).toBeUndefined();
    ben.fetch = async () => 'fetched';
    await ben.later(15 * 60);
    expect(ben.told).toEqual([stopped]);
    await ben.later(2 * 60);
    expect(ben.told).toEqual([stopped, 'fetched mouse']);
  });

  it('stops when its rule is removed', async () => {
    const ben = new Worker([model({ tags: ['mouse'] })], { tag: 'mouse' }, { tag: 'rat' });
    ben.fetch = endless;
    await ben.pass(2);
    ben.rules = ben.rules.slice(1);
    await ben.pass(1);
    expect(ben.told).toEqual(['stopped fetching mouse: its rule was removed']);
    expect(ben.asked).toHaveLength(1);
  });

  it('tries a failed model again, later each time, gives up in the end, and goes on with others', async () => {
    const models = [
      model({ names: ['bad'], tags: ['mouse'], sizeBytes: 1 }),
      model({ names: ['good'], tags: ['mouse'] }),
    ];
    const ben = new Worker(models, { tag: 'mouse' });
    ben.fetch = async (digest) => {
      if (digest === models[0]?.digest) throw new ModelRtcError('network', 'The line is cut.');
      return 'fetched';
    };
    await ben.pass(0.5);
    expect(ben.progress()).toMatchObject({ waiting: [{ name: 'bad', tries: 1 }], done: [{ name: 'good' }] });
    const triesOfBad = (): number => ben.asked.filter((name) => name === 'bad low').length;
    for (let tries = 1; tries < 8; tries++) {
      // A minute after the first time, then twice as long each time.
      await ben.later(2 ** (tries - 1) - 1);
      expect(triesOfBad()).toBe(tries);
      await ben.later(1);
      expect(triesOfBad()).toBe(tries + 1);
    }
    await ben.later(8 * 60);
    expect(ben.asked).toHaveLength(9);
    expect(ben.told).toEqual([
      'failed to fetch bad: The line is cut.',
      'fetched good',
      'gave up fetching bad: The line is cut.',
    ]);
  });

  it.each([
    ['cancelled', 'cancelled', 'stopped fetching mouse: a person cancelled it'],
    ['refused', 'refused', 'will not fetch mouse: No.'],
    ['invalid_model', 'refused', 'will not fetch mouse: No.'],
  ] as const)('does not begin a model again that was %s', async (code, outcome, told) => {
    const ben = new Worker([model({ tags: ['mouse'] })], { tag: 'mouse' });
    ben.fetch = async () => {
      throw new ModelRtcError(code, 'No.');
    };
    await ben.pass(2);
    await ben.restart();
    await ben.pass(60);
    expect(ben.asked).toHaveLength(1);
    expect(ben.progress()?.done).toMatchObject([{ outcome }]);
    expect(ben.told).toEqual([told]);
  });

  it('waits for room as long as it takes, and says so once', async () => {
    const ben = new Worker([model({ tags: ['mouse'] })], { tag: 'mouse' });
    ben.fetch = async () => {
      const details = { setting: 'storage.cap', neededBytes: 9e6, capBytes: 5e6 };
      throw new ModelRtcError('storage_full', 'Much text.', { details });
    };
    for (let tries = 1; tries <= 12; tries++) {
      await ben.later(31);
      expect(ben.asked).toHaveLength(tries);
    }
    const why = 'there is no room for 9 MB below storage.cap, which is 5 MB; a prefetch removes no other model';
    expect(ben.told).toEqual([`did not fetch mouse: ${why}`]);
    expect(ben.progress()?.waits).toBe(`mouse: ${why}`);
    ben.fetch = async () => 'fetched';
    await ben.later(60);
    expect(ben.told).toHaveLength(2);
  });

  it('begins nothing at nodes without consent, and names the command', async () => {
    const models = [model({ tags: ['mouse'], holder: node('anna', { hasConsent: false }) })];
    const ben = new Worker(models, { tag: 'mouse' });
    await ben.pass(10);
    expect(ben.asked).toEqual([]);
    expect(ben.told).toEqual([expect.stringMatching(/^did not fetch mouse: .*model-rtc mesh consent anna$/)]);
    models[0] = model({ tags: ['mouse'], digest: models[0]?.digest as Digest });
    await ben.pass(2);
  });

  it('fetches no more of a thousand models than its rule may', async () => {
    const models = Array.from({ length: 1_000 }, (_, i) => model({ names: [`m${i}`], sizeBytes: i + 1 }));
    const ben = new Worker(models, { name: '*', maxModels: 3 });
    await ben.pass(0.5);
    expect(ben.asked).toEqual(['m0 low', 'm1 low', 'm2 low']);
    expect(ben.progress()?.waits).toBe('nothing: it fetched all 3 models that it may');
  });

  it('tries few of many models that fail', async () => {
    const models = Array.from({ length: 200 }, (_, i) => model({ names: [`m${i}`], sizeBytes: i + 1 }));
    const ben = new Worker(models, { name: '*' });
    ben.fetch = async () => {
      throw new ModelRtcError('storage_full', 'No room.');
    };
    await ben.pass(2);
    await ben.pass(1);
    expect(new Set(ben.asked).size).toBe(50);
  });

  it('keeps what it was fetching when it stops, and begins it again', async () => {
    const ben = new Worker([model({ tags: ['mouse'] })], { tag: 'mouse' });
    ben.fetch = endless;
    await ben.pass(2);
    await ben.restart();
    ben.fetch = async () => 'fetched';
    await ben.pass(2);
    expect(ben.told).toEqual(['fetched mouse']);
  });
});
