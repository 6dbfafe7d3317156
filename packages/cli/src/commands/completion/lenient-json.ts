import { readFile } from 'node:fs/promises';

/** What a file holds; undefined when it is not there, or not JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A member that is a map; an empty one for everything else. */
export function fieldOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  return asObject(asObject(value)[name]);
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
