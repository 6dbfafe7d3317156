import { at, type Document, isObject } from '../documents/scalars.ts';

/** No dimension of a real model comes near. */
const MAX_COUNT = 1_000_000_000;
/** The deepest models have some hundred layers. */
export const MAX_LAYERS = 4096;

/** A configuration contradicts itself or has no sense. The message is a whole sentence. */
export class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem';
}

/** Reads what a `config.json` says. A field that is missing or null has the family's own default, as it has for loaders. */
export class ConfigReader {
  readonly #config: Document;

  constructor(config: Document) {
    this.#config = config;
  }

  /**
   * A number of things, which is at least 1.
   * @param keys the names that versions and families use for it; the first one that is there counts
   * @throws ConfigProblem when it is no such number
   */
  count(keys: string | readonly string[], byDefault: number): number {
    return this.optionalCount(keys) ?? byDefault;
  }

  /** @throws ConfigProblem when it is there and is no such number */
  optionalCount(keys: string | readonly string[]): number | undefined {
    for (const key of typeof keys === 'string' ? [keys] : keys) {
      const value = at(this.#config, key);
      if (value === undefined || value === null) continue;
      if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= MAX_COUNT) return value;
      throw new ConfigProblem(`${key} must be a whole number of at least 1, not ${shown(value)}.`);
    }
    return undefined;
  }

  /** @throws ConfigProblem */
  layers(keys: string | readonly string[], byDefault: number): number {
    const layers = this.count(keys, byDefault);
    if (layers > MAX_LAYERS) throw new ConfigProblem(`${layers} layers are more than any model has.`);
    return layers;
  }

  flag(key: string, byDefault: boolean): boolean {
    const value = at(this.#config, key);
    return typeof value === 'boolean' ? value : byDefault;
  }

  text(key: string): string | undefined {
    const value = at(this.#config, key);
    return typeof value === 'string' ? value : undefined;
  }

  texts(key: string): readonly string[] {
    const value = at(this.#config, key);
    return Array.isArray(value) ? (value as unknown[]).filter((item) => typeof item === 'string') : [];
  }

  /** The part of the configuration under a key; undefined when there is none. */
  part(key: string): ConfigReader | undefined {
    const value = at(this.#config, key);
    return isObject(value) ? new ConfigReader(value) : undefined;
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
