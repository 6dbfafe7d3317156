import type { Clock, RunnerSummary } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { createPartialModels, type PartialModels } from '@model-rtc/transfer';
import type { MeshProperty } from '../../types.ts';
import { OwnModels } from './own-models.ts';
import type { OwnState } from './self-announcer.ts';

export interface OwnMachineOptions {
  readonly registry: Registry;
  /** What this machine is, asked now and then. */
  readonly properties: () => Promise<Readonly<Record<string, MeshProperty>>>;
  /** What clients may run models with. */
  readonly runners: () => Promise<readonly RunnerSummary[]>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

type Properties = Readonly<Record<string, MeshProperty>>;

/** How often properties are asked: asking the driver of a GPU takes a moment. */
const PROPERTIES_MS = 30_000;

/** What catalogs say of this machine, the same in all of its meshes. */
export class OwnMachine {
  readonly #options: OwnMachineOptions;
  readonly #models: OwnModels;
  readonly #partials: PartialModels;
  #properties: { readonly atMs: number; readonly value: Promise<Properties> } | undefined;

  constructor(options: OwnMachineOptions) {
    this.#options = options;
    this.#models = new OwnModels(options.registry);
    this.#partials = createPartialModels(options.registry.paths.staging);
  }

  /** @throws ModelRtcError `storage` */
  async state(): Promise<Pick<OwnState, 'properties' | 'models' | 'fetching'>> {
    // A damaged staging folder is for the transfer to tell.
    const fetching = await this.#partials.list().catch(() => []);
    return {
      ...{ properties: await this.#ownProperties(), models: await this.#models.current() },
      fetching: fetching.map(({ digest }) => digest).sort(),
    };
  }

  async #ownProperties(): Promise<Properties> {
    const nowMs = this.#options.clock.nowMs();
    if (this.#properties === undefined || nowMs - this.#properties.atMs > PROPERTIES_MS)
      this.#properties = { atMs: nowMs, value: this.#askProperties() };
    return await this.#properties.value;
  }

  async #askProperties(): Promise<Properties> {
    const runners = (await this.#options.runners().catch(() => [])).filter(({ usable }) => usable);
    const names = runners.map(({ name }) => name).join(',');
    return { ...(await this.#options.properties()), ...(names === '' ? {} : { runners: names.slice(0, 256) }) };
  }
}
