import type { ModelProvider } from './model-provider.ts';

type Named = Pick<ModelProvider, 'origin' | 'name'>;

/** Hex digits of a key that tell providers of one name apart. */
const KEY_DIGITS = 8;

/** The part of an origin that tells providers of one name apart for people. */
export function shortOrigin(origin: string): string {
  return origin.slice(0, KEY_DIGITS);
}

/**
 * What the providers of one transfer are called: each by its own name, and with the start of its key where another one has that
 * name too. What is counted by these names is counted by provider.
 */
export class ProviderNames {
  readonly #providers: readonly Named[];
  /** By key: what came under a name is not to be split when the provider is called otherwise later. */
  readonly #kept = new Map<string, string>();

  /** @param providers - as they are known; a provider's own name takes the place of the saved one when it is reached. */
  constructor(providers: readonly Named[]) {
    this.#providers = providers;
  }

  of({ origin, name }: Named): string {
    const kept = this.#kept.get(origin);
    if (kept !== undefined) return kept;
    const others = this.#providers.filter((other) => other.origin !== origin);
    const taken = new Set(others.flatMap((other) => [other.name, this.#kept.get(other.origin)]));
    const names = [name, `${name} (${shortOrigin(origin)})`];
    // A provider can call itself anything, even what tells another one apart.
    return names.find((one) => !taken.has(one)) ?? `${name} (${origin})`;
  }

  /** The name from now on, whatever the provider calls itself later. */
  keep(provider: Named): string {
    const name = this.of(provider);
    this.#kept.set(provider.origin, name);
    return name;
  }
}
