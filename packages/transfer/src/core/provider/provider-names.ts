import type { ModelProvider } from './model-provider.ts';

type Named = Pick<ModelProvider, 'origin' | 'name'>;

/** How many hex digits of a key are shown to tell providers with the same name apart. */
const KEY_DIGITS = 8;

/** The part of an origin that tells providers with the same name apart for people. */
export function shortOrigin(origin: string): string {
  return origin.slice(0, KEY_DIGITS);
}

/**
 * The names of the providers of one transfer: each has its own name, with the start of its key if another one has the same
 * name. So what is counted by name is counted by provider.
 */
export class ProviderNames {
  readonly #providers: readonly Named[];
  /** By key: names that were used, so that counts are not split when a provider changes its name. */
  readonly #kept = new Map<string, string>();

  /** @param providers - each with its known name; its own name replaces that when it is reached */
  constructor(providers: readonly Named[]) {
    this.#providers = providers;
  }

  of({ origin, name }: Named): string {
    const kept = this.#kept.get(origin);
    if (kept !== undefined) return kept;
    const others = this.#providers.filter((other) => other.origin !== origin);
    const taken = new Set(others.flatMap((other) => [other.name, this.#kept.get(other.origin)]));
    const names = [name, `${name} (${shortOrigin(origin)})`];
    // A provider can call itself anything, even by another one's distinguishing name.
    return names.find((one) => !taken.has(one)) ?? `${name} (${origin})`;
  }

  /** Fixes the name, whatever the provider calls itself later. */
  keep(provider: Named): string {
    const name = this.of(provider);
    this.#kept.set(provider.origin, name);
    return name;
  }
}
